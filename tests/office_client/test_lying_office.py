"""Hundreds of untrue answers to the real client and the real upload: none is believed, none makes the kiosk stumble, nothing is lost."""

import time

import pytest

from kiosk.domain import http_signature as hs
from kiosk.office_client import pairing
from kiosk.office_client.client import Refused, Unreachable
from kiosk.office_client.events import Acked, LinkChanged
from kiosk.office_client.wire import Heartbeat, Sent
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.sync import STOPPED_FOR_GOOD, Link
from tests.office_client import lies
from tests.office_client.test_pairing import CODE
from tests.offline_queue.journals import SetClock, genesis, pay
from tests.offline_queue.test_sync import Kiosk

UNTRUE = [*lies.by_others(), *lies.of_another_form(), *lies.about_other_content(), *lies.not_http()]
NONSENSE = list(lies.signed_nonsense())
BEAT = Heartbeat(
    journal_id="j-1", last_seq=1, last_hash="0" * 64, unsent=0, oldest_unsent_s=0, state="attract", acceptor="ready",
    printer="ready", paper="ok", journal="ready", disk_free_mb=1, clock="rtc", software="0", posted_seq=0, sent=Sent(boot_id="b", mono_ms=1, wall_ms=1),
)  # fmt: skip
CALLS = {
    "config": lambda client: client.config(),
    "buildings": lambda client: client.buildings(),
    "find_unit": lambda client: client.find_unit("3-1-502"),
    "bills": lambda client: client.bills("u-502"),
    "changed_units": lambda client: client.changed_units(""),
    "heartbeat": lambda client: client.heartbeat(BEAT),
    "server_time": lambda client: client.server_time(),
}


@pytest.fixture
def kiosk(office, tmp_path):
    """A kiosk with one payment to send."""
    clock = SetClock(wall_ms=int(time.time() * 1000))
    journal = Journal.create(tmp_path / "journal.db", clock, genesis())
    pay(journal, "p-1")
    made = Kiosk(office, journal, tmp_path / "journal.db", clock)
    yield made
    made.close()
    journal.close()


def test_there_are_enough_of_them_and_each_has_its_own_name():
    names = [name for name, _ in UNTRUE + NONSENSE]
    assert len(names) == len(set(names)) >= 100


def test_the_truth_written_the_same_way_is_believed(kiosk, office):
    """Otherwise every lie might be refused for the way it is written."""
    office.moods.append(lies.truth)
    kiosk.step()
    assert kiosk.journal.cursor().ack_seq == kiosk.journal.head_seq


@pytest.mark.parametrize("untrue", [lie for _, lie in UNTRUE], ids=[name for name, _ in UNTRUE])
def test_an_answer_that_is_not_the_offices_acknowledges_nothing(kiosk, office, untrue):
    office.moods.append(untrue)
    kiosk.step()
    assert kiosk.sync.link is Link.DOWN
    assert not kiosk.told(Acked)
    assert kiosk.journal.cursor().ack_seq == 0
    assert not any(report.refused for report in kiosk.told(LinkChanged))
    kiosk.step(after_s=900)
    assert kiosk.journal.cursor().ack_seq == kiosk.journal.head_seq == len(office.stored())


@pytest.mark.parametrize("nonsense", [lie for _, lie in NONSENSE], ids=[name for name, _ in NONSENSE])
def test_nonsense_with_the_offices_signature_ends_no_upload_and_loses_nothing(kiosk, office, nonsense):
    entries, head = kiosk.journal.head_seq, kiosk.journal.head_hash
    office.moods.extend([nonsense] * 12)
    for _ in range(3):
        kiosk.step(after_s=3600)
    assert kiosk.journal.cursor().ack_seq in (0, entries)
    assert (kiosk.journal.head_seq, kiosk.journal.head_hash) == (entries, head)
    office.moods.clear()
    stopped = kiosk.sync.link is Link.REFUSED and kiosk.last_link.reason in STOPPED_FOR_GOOD
    again = Kiosk(office, kiosk.journal, kiosk.journal.path, kiosk.clock) if stopped else kiosk
    for _ in range(2):
        again.step(after_s=3600)
    again.close()
    assert len(office.stored()) == entries


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("untrue", [lie for _, lie in UNTRUE[::12]], ids=[name for name, _ in UNTRUE[::12]])
def test_no_call_believes_an_answer_that_is_not_the_offices(client, office, call, untrue):
    office.moods.append(untrue)
    with pytest.raises(Unreachable):
        call(client)
    call(client)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("nonsense", [lie for _, lie in NONSENSE[:9:2]], ids=[name for name, _ in NONSENSE[:9:2]])
def test_no_call_stumbles_over_nonsense(client, office, call, nonsense):
    office.moods.extend([nonsense] * 2)
    with pytest.raises((Unreachable, Refused)):
        call(client)


UNTRUE_FOR_PAIRING = [  # a share of them; its request has no signature to bind an answer to
    (name, lie) for name, lie in UNTRUE[::3] if name not in ("bound to no request", f"covers no {hs.BOUND}")
]


@pytest.mark.parametrize("untrue", [lie for _, lie in UNTRUE_FOR_PAIRING], ids=[name for name, _ in UNTRUE_FOR_PAIRING])
def test_no_untrue_answer_pairs_a_kiosk(office, untrue, tmp_path):
    office.kiosk_key, office.token = None, "ABCD2345"
    office.moods.append(untrue)
    with pytest.raises(pairing.PairingFailed):
        pairing.pair(office.url, CODE, tmp_path / "identity.json", "0.1.0")
    assert not (tmp_path / "identity.json").exists()


def test_a_recorded_answer_to_the_same_question_is_not_believed_again(client, office):
    kept = []

    def recorded(told):
        kept.append(lies.truth(told))
        return kept[0]

    office.moods.extend([recorded, recorded])
    client.server_time()
    with pytest.raises(Unreachable):
        client.server_time()
