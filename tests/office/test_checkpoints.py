"""What kiosks sign of their journals, checked by the office as well: whoever holds its database can make hashes and no signatures."""

import base64

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain import chain
from kiosk.domain.events import Checkpoint, KeyRolled, decode
from kiosk.domain.http_signature import public_text, raw_public
from office.kiosks import branches
from office.kiosks.models import RawEvent
from office.kiosks.replaying import read
from office.ledger.verify import verify_project
from office.ledger.verify_checkpoints import checkpoints_signed
from tests.office.estate import Estate, exported
from tests.office.parted_journals import HUNDRED, copied


def roll(estate: Estate, signs_new: Ed25519PrivateKey | None = None) -> None:
    """The kiosk paired again: another key from here on, which both sign for."""
    old, new = estate.key, Ed25519PrivateKey.generate()
    stated = chain.key_roll_bytes(raw_public(old), raw_public(new))
    signatures = [base64.b64encode(key.sign(stated)).decode() for key in (old, signs_new or new)]
    keys = {"old_public_key": public_text(old), "new_public_key": public_text(new)}
    estate.writer.append(KeyRolled(**keys, old_signature=signatures[0], new_signature=signatures[1]))
    estate.key = new


def found(estate: Estate) -> dict[int, str]:
    """What is wrong by sequence number."""
    where = f"kiosk {estate.kiosk.code} journal {estate.writer.journal_id} seq "
    told = list(checkpoints_signed(estate.project))
    assert all(place.startswith(where) for place, _ in told)
    return {int(place.removeprefix(where)): what for place, what in told}


def test_an_honest_journal_with_a_rolled_key_has_no_finding(estate: Estate) -> None:
    estate.checkpoint()
    for _ in range(2):
        estate.pay(["water"], [HUNDRED, 1000])
        estate.checkpoint()
        roll(estate)
        estate.checkpoint()
    estate.upload()
    assert RawEvent.objects.filter(kind="checkpoint").count() == 5
    assert list(verify_project(estate.project)) == []


def test_a_checkpoint_that_states_other_notes_than_the_entries_is_named_though_it_is_signed(estate: Estate) -> None:
    estate.pay([], [HUNDRED, HUNDRED])
    for changed in ({"credited_fen": HUNDRED}, {"notes": {"10000": 1, "5000": 2}}, {"credited_fen": 0, "notes": {}}):
        seq = estate.checkpoint(**changed)
        estate.upload()
        assert found(estate)[seq] == (
            f"it states {changed.get('credited_fen', 2 * HUNDRED)} fen in notes {changed.get('notes', {'10000': 2})}, "
            f"the entries before it credit {2 * HUNDRED} in {{'10000': 2}}"
        )
    estate.checkpoint()
    estate.upload()
    assert len(found(estate)) == 3


def test_a_signature_that_is_another_keys_or_another_checkpoints_is_named(estate: Estate) -> None:
    first = decode(estate.writer.events[estate.checkpoint() - 1].body)
    assert isinstance(first, Checkpoint)
    by_another = estate.checkpoint(key=Ed25519PrivateKey.generate())
    moved = estate.checkpoint(signature=first.signature)
    repeated = len(estate.writer.events) + 1
    estate.writer.append(first)
    old = estate.key
    roll(estate)
    by_the_old = estate.checkpoint(key=old)
    changed_later = estate.checkpoint(up_to_seq=1)
    estate.upload()
    unsigned, elsewhere = (
        "the checkpoint is not signed by this kiosk",
        "the checkpoint does not state the entry before it",
    )
    assert found(estate) == {
        by_another: unsigned,
        moved: unsigned,
        repeated: elsewhere,
        by_the_old: unsigned,
        changed_later: elsewhere,
    }


def test_a_total_changed_with_all_the_hashes_made_again_is_named(estate: Estate) -> None:
    """What journals_whole can't see: the chain follows, and only the signature does not."""
    estate.pay([], [HUNDRED, HUNDRED])
    seq = estate.checkpoint()
    made = estate.writer.events[seq - 1]
    told = msgspec.structs.replace(decode(made.body), credited_fen=HUNDRED, notes={"10000": 1})
    estate.writer.events.pop()
    estate.writer.head = estate.writer.events[-1].hash
    estate.writer.append(told)
    estate.upload()
    findings = list(verify_project(estate.project))
    assert {finding.invariant for finding in findings} == {"checkpoints_signed"}
    assert found(estate)[seq].startswith("the checkpoint is not signed by this kiosk; it states 10000 fen in notes")


def test_a_roll_that_the_new_key_did_not_sign_is_named_once(estate: Estate) -> None:
    roll(estate, signs_new=Ed25519PrivateKey.generate())
    seq = len(estate.writer.events)
    estate.checkpoint()
    estate.upload()
    assert list(found(estate)) == [seq]
    assert "the roll of the key is not signed by both keys" in found(estate)[seq]


def test_what_a_newer_kiosk_writes_is_no_finding(estate: Estate) -> None:
    estate.writer.append_raw(b'{"kind": "checkpoint", "v": 2}', "checkpoint", 2)
    estate.writer.append_raw(b'{"kind": "note.credited", "v": 2}', "note.credited", 2)
    estate.checkpoint(credited_fen=1)
    estate.writer.append_raw(b'{"kind": "key.rolled", "v": 2}', "key.rolled", 2)
    estate.checkpoint(key=Ed25519PrivateKey.generate())
    estate.upload()
    assert found(estate) == {}


def test_a_branch_is_checked_from_where_it_parts_with_what_it_shares(estate: Estate) -> None:
    estate.pay([], [HUNDRED])
    shared = estate.checkpoint(credited_fen=1)
    estate.upload()
    box = copied(estate)
    estate.pay([], [1000])
    estate.checkpoint()
    estate.upload()
    box.pay([], [2000])
    box.checkpoint()
    roll(box)
    box.pay([], [2000])
    own = box.checkpoint(notes={})
    branches.take_in(read(exported(box.writer)))
    assert list(found(estate)) == [shared, own]
