"""Counting a cash box that was taken out, blind: the figures are kept as they are, and what they prove about notes whose fate
was unclear is done at once.

The kiosk's own ``cashbox.removed`` says which notes were in the box: those it told of before, whatever any clock says.
"""

from collections import Counter
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from office.kiosks.models import Journal, RawEvent
from office.ledger import stream as books
from office.ledger.models import OfficeCommand, Stream
from office.ledger.posting import Entry, post
from office.ledger.rules import DIFFERENCE, SUSPENSE, note_credited
from office.payments.boxes import IN_THE_BOX, move
from office.payments.cases import open_case
from office.payments.claim_closing import close_item, credit, look_again, settled_by_people
from office.payments.claim_rules import FACES, weigh
from office.payments.models import BoxCount, Note, Payment, SuspenseItem
from office.payments.services import Stale
from office.property.models import Project
from office.property.services import business_date
from office.rows import derived_id
from office.staff import audit
from office.staff.permissions import Act, check, may

MOST_NOTES = 5_000  # no box holds more


class BadCount(ValueError):
    """A face is missing or its number of notes is none; nothing was kept."""


def removals(project: Project) -> QuerySet[RawEvent]:
    """Boxes taken out that nobody has counted, oldest first."""
    rows = RawEvent.objects.filter(project=project, kind="cashbox.removed", state=RawEvent.State.FOLDED)
    counted = BoxCount.objects.filter(project=project).values("removal_id")
    return rows.exclude(id__in=counted).select_related("kiosk", "journal").order_by("ingest_no")


def count_box(user: Any, removal: RawEvent, counted: dict[int, int]) -> BoxCount:
    """Keep what was counted, every face of FACES, and draw the conclusions. It can't be changed afterwards.

    Raises:
        BadCount: a face is missing, unknown, or its count is impossible.
        Stale: this box was counted already.
    """
    check(user, removal.project_id, Act.COUNT_BOX)
    if may(user, removal.project_id, Act.SEE_BOX):
        raise PermissionDenied(Act.COUNT_BOX)  # whoever knows what to expect does not count blind
    if set(counted) != set(FACES) or not all(0 <= count <= MOST_NOTES for count in counted.values()):
        raise BadCount
    with books.changing(removal.project_id) as stream:
        if not removals(Project(id=removal.project_id)).filter(id=removal.id).exists():
            raise Stale(removal.id)
        body = {"removal_id": str(removal.id), "counted": {str(face): count for face, count in counted.items()}}
        command = books.record(stream, "box.counted", body, user)
        made = apply_count(stream, command)
        audit.note(removal.project_id, user, "box.count", removal.kiosk, at=command.at, counted=body["counted"])
    return made


def apply_count(stream: Stream, command: OfficeCommand) -> BoxCount:
    told = command.body
    removal = RawEvent.objects.select_related("journal").get(project_id=stream.project_id, id=told["removal_id"])
    notes = list(_put_in_before(removal))
    counted = {int(face): count for face, count in told["counted"].items()}
    booked = Counter(note.face_fen or 0 for note in notes if note.state in IN_THE_BOX)
    unclear = Counter(note.face_fen or 0 for note in notes if note.state == Note.State.UNKNOWN)
    weighed = weigh(counted, booked, unclear)
    made = BoxCount.objects.create(
        id=derived_id(removal.id, "count"),
        project_id=stream.project_id,
        kiosk_id=removal.kiosk_id,
        removal=removal,
        counted=told["counted"],
        differences={str(face): difference for face, difference in weighed.differences.items()},
        explained=weighed.explained,
        by=command.by,
        at=command.at,
        ingest_no=command.ingest_no,
    )
    for note in notes:
        is_found = note.state == Note.State.UNKNOWN and note.face_fen in weighed.found
        if is_found and not (note.payment and note.payment.state == Payment.State.OPEN):
            _found(stream, command, note)
    if not weighed.explained:
        open_case(
            stream.project_id,
            "box_variance",
            made.id,
            at=command.at,
            facts={"differences": made.differences, "counted": made.counted},
            kiosk_id=removal.kiosk_id,
            raw_event_id=removal.id,
            amount_fen=sum(face * difference for face, difference in weighed.differences.items()),
        )
    return made


def _put_in_before(removal: RawEvent) -> QuerySet[Note]:
    """The notes that this box may hold: of its kiosk's earlier journals all, with their branches, of this one those told of before.
    A journal is earlier whose first entry the office had before; it takes nothing more of one that another followed."""
    told_before = {"events__project_id": removal.project_id, "events__ingest_no__lt": removal.ingest_no}
    trunks = Journal.trunks.filter(**told_before, events__seq=1, kiosk_id=removal.kiosk_id)
    earlier = trunks.exclude(id=removal.journal_id).values("journal_id")
    here = Q(journal=removal.journal, first_seq__lt=removal.seq)
    rows = Note.objects.filter(
        here | Q(journal__journal_id__in=earlier), project_id=removal.project_id, kiosk_id=removal.kiosk_id
    )
    return rows.select_related("payment__unit").order_by("journal__started_at", "note_no")


def _found(stream: Stream, command: OfficeCommand, note: Note) -> None:
    """A count proves that the note is in the box: it is money now, and its payer gets it unless two people gave it before."""
    given = settled_by_people(note)
    move(note, Note.State.CREDITED, note.face_fen)
    unit_id = note.payment.unit_id if note.payment else None
    lines = note_credited(note.face_fen, note.kiosk_id, unit_id, DIFFERENCE if given else SUSPENSE)
    day = business_date(command.at, Project.objects.get(id=stream.project_id).zone)
    entry = Entry("note_credited", "note", note.id, day, lines, payment_id=note.payment_id)
    post(stream.project_id, [entry], ingest_no=command.ingest_no, at=command.at)
    for item in note.suspense.filter(state=SuspenseItem.State.OPEN).select_related("payment__unit"):
        item.note, item.kind = note, SuspenseItem.Kind.UNIDENTIFIED
        item.save(update_fields=["kind"])
        if item.payment is None or item.payment.unit is None:
            continue  # in the box for certain, and still nobody's
        credit(stream, command, item, item.payment.unit, note.face_fen)
        close_item(item, SuspenseItem.Outcome.FOUND, at=command.at, why="a count found it in the box", by=command.by)
        look_again(item.payment)
