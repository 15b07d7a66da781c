"""From a database URL to Django's settings, with the durability decisions 5 asks for."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

BUSY_S = 30


class BadDatabaseUrl(ValueError):
    """The URL names no database this office can use; the message says what was expected."""


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether the linked SQLite has the fix of the WAL-reset bug, which many connections would meet.

    Source: journal-and-upload section 1.1: fixed in 3.51.3, backported to 3.50.7 and 3.44.6.
    """
    major, minor, patch = (*version, 0, 0)[:3]
    if (major, minor) in ((3, 50), (3, 44)):
        return patch >= (7 if minor == 50 else 6)
    return (major, minor, patch) >= (3, 51, 3)


def database_settings(url: str) -> dict[str, Any]:
    """Read ``sqlite:///path`` or ``postgres://user:password@host:port/name?option=value``.

    Raises:
        BadDatabaseUrl: any other scheme, no path, no name or a port that is no number.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path)[1:] if not parts.netloc else "")
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(parts)
    raise BadDatabaseUrl(f"{url!r} is no database URL; give sqlite:///path or postgres://user@host/name")


def _sqlite(path: str) -> dict[str, Any]:
    if not path:
        raise BadDatabaseUrl("the SQLite URL names no file; give sqlite:///path, or sqlite:////absolute/path")
    journal_mode = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"
    pragmas = (
        f"PRAGMA journal_mode={journal_mode}; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY"
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(path).absolute()),
        "CONN_MAX_AGE": None,
        # IMMEDIATE: a transaction that starts by reading must not fail when it comes to write.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": BUSY_S, "init_command": pragmas},
    }


def _postgres(parts: Any) -> dict[str, Any]:
    options, name = dict(parse_qsl(parts.query)), unquote(parts.path.lstrip("/"))
    try:
        port = parts.port
    except ValueError as error:
        raise BadDatabaseUrl("the PostgreSQL URL's port is no number; give postgres://user@host:5432/name") from error
    if not name:
        raise BadDatabaseUrl("the PostgreSQL URL names no database; give postgres://user@host/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or options.pop("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
