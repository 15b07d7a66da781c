"""Django's settings, from the environment; the `office` command sets OFFICE_DATABASE from --database.

OFFICE_DATABASE    sqlite:///path or postgres://…   (default: office.db in the state directory)
OFFICE_STATE_DIR   where the default database and the secret key lie
OFFICE_SECRET_KEY  instead of the key file
OFFICE_NAMES       public names (host[:port], comma separated) under which kiosks and browsers reach this office
OFFICE_PUBLIC_URL  where people's phones reach the page "Where is my money" (https://pay.example.cn); slips show it as a QR code
OFFICE_HTTPS       1 when a TLS proxy stands in front: cookies become Secure
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from office.database import database_settings
from office.state import secret_key, state_directory

BASE_DIR = Path(__file__).resolve().parent
STATE_DIR = state_directory()
DATABASE_URL = os.environ.get("OFFICE_DATABASE") or f"sqlite:///{STATE_DIR / 'office.db'}"

DEBUG = False
SECRET_KEY = secret_key(STATE_DIR)
PUBLIC_URL = os.environ.get("OFFICE_PUBLIC_URL", "").strip().rstrip("/")
_NAMES = (*os.environ.get("OFFICE_NAMES", "").split(","), urlsplit(PUBLIC_URL).netloc)
PUBLIC_NAMES = [name.strip().lower() for name in _NAMES if name.strip()]
# Kiosks sign the authority they speak to, so a forged Host gains nothing; browsers are kept to the known names.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver", *(name.rsplit(":", 1)[0] for name in PUBLIC_NAMES)]
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in PUBLIC_NAMES]

INSTALLED_APPS = [
    "office.property.apps.PropertyConfig",
    "office.billing.apps.BillingConfig",
    "office.kiosks.apps.KiosksConfig",
    "office.payments.apps.PaymentsConfig",
    "office.ledger.apps.LedgerConfig",
    "office.staff.apps.StaffConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_htmx",
]

MIDDLEWARE = [
    "office.api.envelope.KioskApiEnvelope",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "office.staff.pages.session.StaffPages",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "office.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database_settings(DATABASE_URL)}
# Last heartbeats and the nonces of the last minutes. With several server processes, name a shared cache here.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "office",
        "OPTIONS": {"MAX_ENTRIES": 500_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("OFFICE_HTTPS") == "1"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [path for path in (BASE_DIR / "static",) if path.is_dir()]
# Served from where they lie: an office is small and has no deployment step that would collect them.
WHITENOISE_USE_FINDERS = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("OFFICE_LOG", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "waitress": {"level": "WARNING"},
        # Anybody can send a wrong Host; it is answered 400, and is no reason for a traceback in the log each time.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
