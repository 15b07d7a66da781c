"""Invariant of the checkpoints that kiosks sign: each is by the key in force at its place, about the entry before it, and states
the notes that the entries before it credit. Source: journal-and-upload section 2.

Whoever writes to the office's database can make all the hashes of a journal again, but these signatures they can't.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from kiosk.domain import chain, events
from kiosk.domain.signed_chain import NotSigned, Signer
from office.kiosks.models import Journal
from office.ledger.verify_books import Found
from office.property.models import Project

_KINDS = ("journal.genesis", "key.rolled", "note.credited", "checkpoint")


class _Note(msgspec.Struct):
    face_fen: int


def checkpoints_signed(project: Project) -> Found:
    for journal in Journal.objects.filter(project=project).select_related("kiosk"):
        for seq, what in _wrong(journal):
            if seq >= journal.first_seq:  # before that it is said of a branch's parent
                yield f"kiosk {journal.kiosk.code} journal {journal.journal_id} seq {seq}", what


def _wrong(journal: Journal) -> Iterator[tuple[int, str]]:
    """What a newer kiosk wrote in a form that we don't know (quarantined as such) proves nothing here, and is no finding."""
    signer, counted = Signer(journal.journal_id), _Counted()
    rows = journal.history().filter(kind__in=_KINDS).order_by("seq").values_list("seq", "kind", "v", "body")
    for seq, kind, v, stored in rows.iterator(2000):
        body = _bytes(stored)
        if kind == "note.credited":
            counted.add(body)
        elif v == 1:
            said = [_not_signed(journal, signer, seq, kind, body)]
            if kind == "checkpoint":
                said.append(counted.otherwise(body))
            if what := "; ".join(filter(None, said)):
                yield seq, what
            if said[0] and kind == "key.rolled":
                return  # nobody can say whose key signs from here on
        elif kind != "checkpoint":
            return


def _not_signed(journal: Journal, signer: Signer, seq: int, kind: str, body: bytes) -> str:
    if kind == "checkpoint" and signer.key is None:
        return "the journal begins with no key that could have signed it"
    try:
        signer.check(kind, body, seq - 1, _hash_before(journal, seq))
    except NotSigned as error:
        return str(error)
    return ""


def _hash_before(journal: Journal, seq: int) -> bytes:
    found = journal.history().filter(seq=seq - 1).values_list("hash", flat=True).first()
    return chain.GENESIS_PREV if found is None else _bytes(found)


def _bytes(stored: bytes | memoryview | str) -> bytes:
    """Whoever changes a row by hand may leave text; that is a finding, not a failure."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


class _Counted:
    """The notes that the entries so far credit, by face; None once one of them can't be read."""

    def __init__(self) -> None:
        self.notes: Counter[str] | None = Counter()

    def add(self, body: bytes) -> None:
        if self.notes is None:
            return
        try:
            self.notes[str(msgspec.json.decode(body, type=_Note).face_fen)] += 1
        except events.UNREADABLE:
            self.notes = None

    def otherwise(self, checkpoint: bytes) -> str:
        """How the checkpoint counts otherwise; empty where it doesn't, or can't be read, which its signature then says."""
        try:
            stated = events.decode(checkpoint)
        except events.UnknownEvent:
            return ""
        if self.notes is None or not isinstance(stated, events.Checkpoint):
            return ""
        fen = sum(int(face) * count for face, count in self.notes.items())
        if (stated.credited_fen, stated.notes) == (fen, self.notes):
            return ""
        return (
            f"it states {stated.credited_fen} fen in notes {stated.notes}, "
            f"the entries before it credit {fen} in {dict(self.notes)}"
        )
