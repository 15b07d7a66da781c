"""An office comes back from its kiosks' journals: whose key opens its door then is what both keys of each roll signed."""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import connections

from kiosk.domain.events import JournalGenesis
from kiosk.domain.http_signature import key_id, public_text, raw_public
from kiosk.office_client.identity import roll
from office.demo.journal_writer import JournalWriter
from office.kiosks import key_rolls
from office.kiosks.models import Kiosk
from office.kiosks.replaying import Export, read, replay
from office.property.models import Project
from tests.office.conftest import point_at
from tests.office.estate import Estate, exported, second_kiosk
from tests.office.test_key_rolls import is_let_in, pair_again

HUNDRED = 10000


def older_backup(folder: Path) -> None:
    """All base data, with each kiosk's key of that time; ``kept`` copied it."""
    point_at(f"sqlite:///{folder / 'backup.db'}")


def nothing_at_all(folder: Path) -> None:
    point_at(f"sqlite:///{folder / 'fresh.db'}")
    call_command("migrate", verbosity=0)


COMES_BACK = pytest.mark.parametrize("comes_back", [older_backup, nothing_at_all])


@pytest.fixture
def kept(estate: Estate, tmp_path: Path) -> Path:
    connections.close_all()
    shutil.copy(tmp_path / "office.db", tmp_path / "backup.db")
    return tmp_path


def rolled(estate: Estate) -> Ed25519PrivateKey:
    """The kiosk pairs again, uses its new key and writes the roll into its journal."""
    old, estate.key = estate.key, pair_again(estate, estate.key)
    assert (is_let_in(estate.key), is_let_in(old)) == (True, False)
    estate.writer.append(roll(old, estate.key))
    return old


def lost_and_back(comes_back: Callable[[Path], None], folder: Path, *exports: Export) -> None:
    connections.close_all()
    comes_back(folder)
    replay(exports)


@COMES_BACK
def test_the_kiosk_gets_in_with_its_new_key_and_nobody_with_the_old_one(
    estate: Estate, kept: Path, comes_back: Callable[[Path], None]
) -> None:
    first = rolled(estate)
    estate.pay([], [HUNDRED])
    second = rolled(estate)
    export = read(exported(estate.writer))
    for again in (False, True):
        lost_and_back(comes_back if not again else lambda _: None, kept, export)
        assert [is_let_in(key) for key in (first, second, estate.key)] == [False, False, True]
    estate.project = Project.objects.get()
    pair_again(estate, estate.key)
    assert Kiosk.objects.count() == 1, "its own key proves the next pairing"


@COMES_BACK
def test_over_two_journals_whatever_the_order_of_their_files(
    estate: Estate, kept: Path, comes_back: Callable[[Path], None]
) -> None:
    first = rolled(estate)
    old = estate.writer
    estate.writer = JournalWriter(wall_ms=old.wall_ms + 60_000)
    end = {"replaces_journal_id": old.journal_id, "replaces_seq": len(old.events), "replaces_hash": old.head.hex()}
    who = {"kiosk_id": str(estate.kiosk.id), "kiosk_code": estate.kiosk.code, "software": "0.1.0"}
    estate.writer.append(JournalGenesis(**who, **end, public_key=public_text(estate.key)))
    for _ in range(len(old.events)):
        estate.pay([], [HUNDRED])  # so that the new one is the longer file
    second = rolled(estate)
    lost_and_back(comes_back, kept, read(exported(estate.writer)), read(exported(old)))
    assert [is_let_in(key) for key in (first, second, estate.key)] == [False, False, True]


@pytest.mark.parametrize("unsigned", ["old_signature", "new_signature"])
@COMES_BACK
def test_a_roll_that_one_of_the_keys_did_not_sign_is_not_followed(
    estate: Estate, kept: Path, comes_back: Callable[[Path], None], unsigned: str
) -> None:
    thief = Ed25519PrivateKey.generate()
    true, other = roll(estate.key, thief), roll(thief, estate.key)
    forged = true.__class__(**{
        name: getattr(other if name == unsigned else true, name) for name in true.__struct_fields__ if name != "v"
    })  # fmt: skip
    estate.writer.append(forged)
    lost_and_back(comes_back, kept, read(exported(estate.writer)))
    assert (is_let_in(estate.key), is_let_in(thief)) == (True, False)


def test_a_promise_of_the_backup_that_was_kept_is_none_any_more(estate: Estate, tmp_path: Path) -> None:
    first, new = estate.key, pair_again(estate, estate.key)
    connections.close_all()
    shutil.copy(tmp_path / "office.db", tmp_path / "backup.db")
    estate.writer.append(roll(first, new))
    lost_and_back(older_backup, tmp_path, read(exported(estate.writer)))
    kiosk = Kiosk.objects.get()
    assert (kiosk.public_key, kiosk.next_public_key, kiosk.next_key_id) == (public_text(new), "", "")
    assert (is_let_in(first), is_let_in(new)) == (False, True)


def test_a_promise_of_which_the_journal_does_not_tell_yet_stays(estate: Estate, tmp_path: Path) -> None:
    first, new = estate.key, pair_again(estate, estate.key)
    replay([read(exported(estate.writer))])
    assert Kiosk.objects.get().next_public_key == public_text(new)
    assert is_let_in(first)
    assert is_let_in(new)


def test_a_revoked_kiosk_stays_out_with_any_key(estate: Estate, kept: Path) -> None:
    first = rolled(estate)
    export = read(exported(estate.writer))
    connections.close_all()
    older_backup(kept)
    Kiosk.objects.update(state=Kiosk.State.REVOKED)
    replay([export])
    assert Kiosk.objects.get().state == Kiosk.State.REVOKED
    assert (is_let_in(first), is_let_in(estate.key)) == (False, False)


def test_a_key_that_is_another_kiosks_here_stays_that_ones(estate: Estate, kept: Path) -> None:
    """The office had forgotten the key, so that an ordinary code had made a second kiosk of the same box."""
    rolled(estate)
    export = read(exported(estate.writer))
    connections.close_all()
    older_backup(kept)
    other = second_kiosk(estate).kiosk
    Kiosk.objects.filter(id=other.id).update(public_key=public_text(estate.key), key_id=key_id(raw_public(estate.key)))
    replay([export])
    owner = key_rolls.owner(key_id(raw_public(estate.key)))
    assert owner is not None
    assert owner[0] == other
    assert base64.b64decode(Kiosk.objects.get(id=estate.kiosk.id).public_key) != raw_public(estate.key)
