"""The SSP driver against the simulated validator over a real terminal pair."""

from kiosk.hardware.ports import AcceptorEnabled, NoteCredited, NoteEscrowed, NoteReturned, NoteStacked
from tests.hardware.bill_acceptor.acceptor_harness import box_by_face, is_ready


def test_a_note_is_escrowed_accepted_credited_and_stacked(plug_in, attach) -> None:
    acceptor, host = plug_in(), attach().start()
    assert is_ready(host).identity.faces == {1: 100, 2: 500, 3: 1000, 4: 2000, 5: 5000, 6: 10000}
    host.take(AcceptorEnabled)
    acceptor.insert(10000)
    assert host.take(NoteEscrowed).face == 10000
    credit = host.take(NoteCredited)
    assert (credit.face, credit.channel, credit.at_power_up) == (10000, 6, False)
    host.take(NoteStacked)
    assert box_by_face(acceptor.ledger()) == host.credited == {10000: 1}
