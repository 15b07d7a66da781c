"""Every test gets an office database of its own: SQLite, and PostgreSQL where a module asks for both engines."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_STATE = tempfile.mkdtemp(prefix="menting-office-tests-")
os.environ["OFFICE_STATE_DIR"] = _STATE
os.environ.setdefault("OFFICE_LOG", "CRITICAL")
os.environ.pop("OFFICE_DATABASE", None)
os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402

# Slow on purpose in an office, and only slow here. The first one makes new hashes.
settings.PASSWORD_HASHERS = ["tests.office.quick_hasher.QuickHasher", *settings.PASSWORD_HASHERS]

from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402

from office.database import database_settings  # noqa: E402
from office.staff.models import Role  # noqa: E402
from tests.office import private_postgres  # noqa: E402
from tests.office.busy_books import fill_busy_books  # noqa: E402
from tests.office.estate import Estate, add_person, build_estate  # noqa: E402


def point_at(url: str) -> None:
    """Let Django's default connection be this database from now on, in every thread."""
    connections["default"].close()
    connections.settings["default"] = connections.configure_settings({"default": database_settings(url)})["default"]
    del connections["default"]


@pytest.fixture(scope="session", autouse=True)
def _state_directory() -> Iterator[None]:
    yield
    connections.close_all()
    shutil.rmtree(_STATE, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    path = tmp_path_factory.mktemp("office") / "template.db"
    point_at(f"sqlite:///{path}")
    call_command("migrate", verbosity=0)
    connections.close_all()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A cluster with two migrated databases: one for the tests in turn, one never connected to, as a template."""
    if reason := private_postgres.why_not():
        pytest.skip(reason)
    with private_postgres.cluster() as socket_dir:
        in_postgres(socket_dir, "CREATE DATABASE office")
        point_at(_postgres_url(socket_dir, "office"))
        call_command("migrate", verbosity=0)
        connections.close_all()
        in_postgres(socket_dir, "CREATE DATABASE template_office TEMPLATE office")
        yield socket_dir


def in_postgres(socket_dir: str, statement: str) -> None:
    """One statement outside any database of the tests."""
    import psycopg

    with psycopg.connect(f"host={socket_dir} user=postgres dbname=postgres", autocommit=True) as session:
        session.execute(statement)


def _postgres_url(socket_dir: str, name: str) -> str:
    return f"postgres://postgres@/{name}?host={socket_dir}"


def _emptied() -> None:
    """Delete every row but the schema's own: fifty times quicker than a new database. Foreign keys wait for the commit."""
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - kept:
            cursor.execute(f'DELETE FROM "{table}"')


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "sqlite")


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh migrated database; yields its URL."""
    cache.clear()
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "office.db")
        url = f"sqlite:///{tmp_path / 'office.db'}"
        point_at(url)
    else:
        url = _postgres_url(request.getfixturevalue("postgres"), "office")
        point_at(url)
        _emptied()
    yield url
    connections.close_all()


@pytest.fixture
def estate(database: str) -> Estate:
    """One project with household 3-1-502, the bills of office-domain section 6, and a paired kiosk."""
    return build_estate()


@pytest.fixture
def cashier(estate: Estate):
    return add_person(estate.project, Role.CASHIER)


@pytest.fixture
def finance(estate: Estate):
    return add_person(estate.project, Role.FINANCE_AUDIT)


@pytest.fixture(scope="session")
def busy_books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which everything that verify looks at is there; copy it before you change it."""
    path = tmp_path_factory.mktemp("busy") / "office.db"
    shutil.copy(sqlite_template, path)
    point_at(f"sqlite:///{path}")
    fill_busy_books()
    connections.close_all()
    return path
