"""A cursor of the offline cache holds for as long as the changes that it counts are this office's own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections, transaction

from office.ledger import eras
from office.ledger.models import Stream
from office.ledger.stream import changing
from office.property.models import Unit
from office.property.services import touch
from tests.office.estate import Estate, add_unit
from tests.office.signed_client import SignedClient


@pytest.fixture
def client(estate: Estate) -> SignedClient:
    add_unit(estate.project, "3", "1", "503", "钱来")
    change(estate, "3-1-503")
    return SignedClient(estate.key)


def change(estate: Estate, code: str) -> None:
    with changing(estate.project.id) as stream:
        touch(stream, [Unit.objects.get(project=estate.project, code=code).id])


def told(client: SignedClient, cursor: str = "", limit: int = 500) -> tuple[str, list[str]]:
    """The next cursor and the homes that changed."""
    answer = client.call("GET", "/sync/units", query=f"since={cursor}&limit={limit}")
    assert answer.status_code == 200, answer.content
    return answer.json()["cursor"], [row["unit"]["code"] for row in answer.json()["units"]]


def is_refused(client: SignedClient, cursor: str) -> bool:
    answer = client.call("GET", "/sync/units", query=f"since={cursor}")
    return answer.status_code == 400 and answer.json()["code"] == "malformed"


def restarted() -> None:
    """What a new process of the office knows."""
    eras._ours.clear()


@contextmanager
def undone(database: str) -> Iterator[None]:
    """What happens inside is undone at the end by putting a backup back."""
    path = Path(database.removeprefix("sqlite:///"))
    connections.close_all()
    shutil.copy(path, path.with_suffix(".backup"))
    yield
    connections.close_all()
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    shutil.copy(path.with_suffix(".backup"), path)


@pytest.mark.parametrize("process", [restarted, lambda: None], ids=["a new process", "the database was exchanged"])
@pytest.mark.parametrize("again", [0, 1, 2, 3])
def test_a_cursor_of_changes_that_a_restore_undid_is_refused_also_when_their_numbers_are_given_again(
    estate: Estate, client: SignedClient, database: str, process: Callable[[], None], again: int
) -> None:
    kept, _ = told(client)
    with undone(database):
        change(estate, "3-1-502")
        change(estate, "3-1-503")
        lost, _ = told(client, kept)
    process()
    for _ in range(again):
        change(estate, "3-1-502")
    assert is_refused(client, lost)
    assert told(client, kept)[1] == (["3-1-502"] if again else []), "what both histories have is not fetched again"
    assert sorted(told(client)[1]) == ["3-1-502", "3-1-503"]


def test_a_cursor_outlives_restarts_and_page_after_page(estate: Estate, client: SignedClient) -> None:
    cursor, _ = told(client)
    for _ in range(3):
        restarted()
        change(estate, "3-1-502")
        change(estate, "3-1-503")
    middle, first = told(client, cursor, limit=1)
    last, second = told(client, middle, limit=1)
    assert (first, second) == (["3-1-502"], ["3-1-503"])
    assert told(client, last) == (last, [])


def test_a_change_that_came_to_nothing_costs_no_kiosk_a_fetch(estate: Estate, client: SignedClient) -> None:
    cursor, _ = told(client)
    with transaction.atomic():
        change(estate, "3-1-502")
        transaction.set_rollback(True)
    change(estate, "3-1-503")
    assert told(client, cursor)[1] == ["3-1-503"]


def test_a_cursor_from_before_the_office_knew_eras_still_holds(estate: Estate, client: SignedClient) -> None:
    Stream.objects.update(eras=[])
    cursor, _ = told(client)
    assert cursor.count(".") == 1
    restarted()
    change(estate, "3-1-502")
    assert told(client, cursor)[1] == ["3-1-502"]
    assert is_refused(client, f"9{cursor}"), "but not one of changes that it never made"


def test_an_office_that_is_started_every_day_remembers_its_latest_eras(estate: Estate, client: SignedClient) -> None:
    oldest, _ = told(client)
    for _ in range(eras.KEPT):
        restarted()
        change(estate, "3-1-502")
    newest, _ = told(client)
    assert len(Stream.objects.get().eras) == eras.KEPT
    assert is_refused(client, oldest)
    assert told(client, newest) == (newest, [])
