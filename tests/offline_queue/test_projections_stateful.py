"""Whatever happens to payments and notes, the projections equal those made again from the events alone."""

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from kiosk.domain import events
from kiosk.domain.money import NOTE_FACES
from kiosk.offline_queue import projections
from kiosk.offline_queue.journal import EventRefused, Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.offline_queue.journals import (
    KIOSK_KEY,
    SetClock,
    credited,
    escrow,
    genesis,
    intent,
    opened,
    returned,
    settled,
    unknown,
)

FACES = st.sampled_from(NOTE_FACES)


class JournalLife(RuleBasedStateMachine):
    """Payments open, notes come and go, the program stops and starts; money in equals money credited and unknown."""

    open_payments = Bundle("open_payments")
    held = Bundle("held")
    intended = Bundle("intended")

    @initialize()
    def begin(self):
        self.directory = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.path = Path(self.directory.name) / "journal.db"
        self.journal = Journal.create(self.path, self.clock, genesis())
        self.payments = 0
        self.notes = 0
        self.receipts = 0
        self.credited_fen = 0

    @rule(target=open_payments)
    def open_payment(self):
        self.payments += 1
        self.journal.append(opened(f"p-{self.payments}"))
        return f"p-{self.payments}"

    @rule(target=held, payment=open_payments, face=FACES)
    def hold(self, payment, face):
        self.notes += 1
        self.journal.append(escrow(self.notes, face, payment))
        return self.notes, face, payment

    @rule(target=intended, note=consumes(held))
    def decide(self, note):
        self.journal.append(intent(*note))
        return note

    @rule(note=consumes(held))
    def give_back(self, note):
        self.journal.append(returned(*note))

    @rule(note=consumes(intended))
    def credit(self, note):
        self.journal.append(credited(*note))
        self.credited_fen += note[1]

    @rule(note=consumes(intended))
    def lose_sight(self, note):
        self.journal.append(unknown(*note))

    @rule(face=FACES)
    def find_at_power_up(self, face):
        self.notes += 1
        self.journal.append(unknown(self.notes, face, None))

    @rule(payment=consumes(open_payments))
    def settle(self, payment):
        self.receipts += 1
        self.journal.append(settled(payment, self.receipts))

    @rule(payment=consumes(open_payments))
    def cancel(self, payment):
        self.journal.append(events.PaymentCancelled(payment_id=payment, reason="payer"))

    @rule()
    def refuse_nonsense(self):
        before = self.journal.head_seq
        try:
            self.journal.append(events.ScreenRestarted(reason="silent"), escrow(self.notes + 2))
        except EventRefused:
            assert self.journal.head_seq == before
        else:
            raise AssertionError("a skipped note number was taken")

    @rule()
    def sign(self):
        stated = self.journal.checkpoint(KIOSK_KEY.sign).event
        assert stated.credited_fen == self.credited_fen

    @rule(clean=st.booleans())
    def restart(self, clean):
        if clean:
            self.journal.append(events.AgentStopped())
        self.journal.close()
        self.clock.advance(1)
        self.journal = Journal.open(self.path, self.clock)

    @invariant()
    def numbers_have_no_gap(self):
        if hasattr(self, "journal"):
            assert self.journal.next_note_no() == self.notes + 1
            assert self.journal.next_receipt_number() == self.receipts + 1

    def teardown(self):
        if not hasattr(self, "journal"):
            return
        before = projections.dump(self.journal._db)
        self.journal.rebuild_projections()
        assert projections.dump(self.journal._db) == before
        with closing(JournalReader(self.path)) as reader:
            assert verify(reader.db) is None
        self.journal.close()
        self.directory.cleanup()


TestJournalLife = JournalLife.TestCase
TestJournalLife.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
