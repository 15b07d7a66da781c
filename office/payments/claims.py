"""Ending a claim by two people: one proposes with a reason, another one confirms; never the same person.

Every function checks the person's roles itself, records an office command and applies it in one transaction, as
payments.services does. Raises Http404 / PermissionDenied as staff.permissions.check().
"""

import uuid
from typing import Any

from office.ledger import stream as books
from office.ledger.models import OfficeCommand, Stream
from office.payments import overtaken
from office.payments.boxes import move
from office.payments.claim_closing import close_item, credit, look_again, refund
from office.payments.claim_rules import FACES, ways_out
from office.payments.models import Note, Payment, Resolution, SuspenseItem
from office.payments.services import ReasonNeeded, Stale, plain
from office.property.models import Unit
from office.rows import derived_id
from office.staff import audit
from office.staff.permissions import Act, check


class SamePerson(Exception):
    """Whoever proposed may not confirm; another person with the right must."""


class NotPossible(ValueError):
    """This way out does not fit the item; the code says what is missing: outcome, unit, amount."""


def propose(
    user: Any,
    item: SuspenseItem,
    outcome: str,
    reason: str,
    *,
    unit: Unit | None = None,
    amount_fen: int | None = None,
) -> Resolution:
    """Propose how an open item ends. ``unit`` is whose credit it becomes, ``amount_fen`` is needed where the face is unknown.

    Raises:
        ReasonNeeded: no reason.
        NotPossible: the outcome does not fit, or unit or amount is missing.
        Stale: it was answered meanwhile, somebody else proposed first, or its payment is still open at the kiosk.
    """
    check(user, item.project_id, Act.PROPOSE_CLAIM)
    if not plain(reason):
        raise ReasonNeeded("propose")
    with books.changing(item.project_id) as stream:
        item.refresh_from_db()
        if item.state != SuspenseItem.State.OPEN or item.resolutions.filter(state=Resolution.State.PROPOSED).exists():
            raise Stale(item.id)
        if item.payment is not None and item.payment.state == Payment.State.OPEN:
            raise Stale(item.id)
        amount_fen, unit = _fitting(item, outcome, unit, amount_fen)
        body = {
            "suspense_id": str(item.id),
            "outcome": outcome,
            "unit_id": str(unit.id) if unit else None,
            "amount_fen": amount_fen,
            "reason": plain(reason),
        }
        command = books.record(stream, "claim.proposed", body, user)
        made = apply_propose(stream, command)
        audit.note(
            item.project_id, user, "claim.propose", item, reason=reason, at=command.at, outcome=outcome, fen=amount_fen
        )
    return made


def _fitting(item: SuspenseItem, outcome: str, unit: Unit | None, amount_fen: int | None) -> tuple[int, Unit | None]:
    if outcome not in ways_out(in_books=item.in_books):
        raise NotPossible("outcome")
    if outcome != Resolution.Outcome.CREDIT:
        unit = None
    elif unit is None or unit.project_id != item.project_id:
        raise NotPossible("unit")
    if item.amount_fen is not None:
        return item.amount_fen, unit
    if amount_fen not in FACES:
        raise NotPossible("amount")
    return amount_fen, unit


def apply_propose(stream: Stream, command: OfficeCommand) -> Resolution:
    told = command.body
    known = SuspenseItem.objects.filter(project_id=stream.project_id, id=told["suspense_id"]).first()
    item = known or overtaken.lost_item(stream, command)
    made = Resolution(
        id=derived_id(stream.project_id, "resolution", command.ingest_no),
        project_id=stream.project_id,
        suspense=item,
        outcome=told["outcome"],
        unit_id=uuid.UUID(told["unit_id"]) if told["unit_id"] else None,
        amount_fen=told["amount_fen"],
        reason=told["reason"],
        by=command.by,
        at=command.at,
        ingest_no=command.ingest_no,
    )
    if item.state != SuspenseItem.State.OPEN:
        overtaken.told(command)
        made.state, made.closed_at, made.close_reason = Resolution.State.CANCELLED, command.at, overtaken.WHY
    made.save(force_insert=True)
    return made


def confirm(user: Any, resolution: Resolution) -> Resolution:
    """Make a proposal so; the money moves now.

    Raises:
        SamePerson: this person proposed it.
        Stale: it was confirmed or cancelled meanwhile, or evidence answered the item.
    """
    check(user, resolution.project_id, Act.CONFIRM_CLAIM)
    with books.changing(resolution.project_id) as stream:
        resolution.refresh_from_db()
        fits = resolution.outcome in ways_out(in_books=resolution.suspense.in_books)
        if resolution.state != Resolution.State.PROPOSED or not fits:
            raise Stale(resolution.id)
        if resolution.by_id == user.pk:
            raise SamePerson(resolution.id)
        command = books.record(stream, "claim.confirmed", {"resolution_id": str(resolution.id)}, user)
        apply_confirm(stream, command)
        audit.note(
            resolution.project_id,
            user,
            "claim.confirm",
            resolution.suspense,
            at=command.at,
            outcome=resolution.outcome,
            fen=resolution.amount_fen,
        )
    resolution.refresh_from_db()
    return resolution


_OUTCOME = {
    Resolution.Outcome.CREDIT: SuspenseItem.Outcome.CREDITED,
    Resolution.Outcome.REFUND: SuspenseItem.Outcome.REFUNDED,
    Resolution.Outcome.NOT_RECEIVED: SuspenseItem.Outcome.NOT_RECEIVED,
}


def apply_confirm(stream: Stream, command: OfficeCommand) -> None:
    found = Resolution.objects.select_related("suspense__note", "suspense__payment", "unit")
    resolution = found.get(project_id=stream.project_id, id=command.body["resolution_id"])
    item = resolution.suspense if _answers(resolution) else overtaken.given_beside(stream, command, resolution)
    if item is None:
        return
    if resolution.outcome == Resolution.Outcome.CREDIT:
        credit(stream, command, item, resolution.unit, resolution.amount_fen)
    elif resolution.outcome == Resolution.Outcome.REFUND:
        refund(stream, command, item, resolution.amount_fen)
    elif item.note is not None:
        move(item.note, Note.State.NOT_KEPT, item.note.face_fen)  # it stood in no account: nothing to post
    resolution.suspense, resolution.state = item, Resolution.State.CONFIRMED
    resolution.closed_by, resolution.closed_at = command.by, command.at
    resolution.save()
    item.amount_fen = resolution.amount_fen
    close_item(item, _OUTCOME[resolution.outcome], at=command.at, why=resolution.reason, by=command.by)
    look_again(item.payment)


def _answers(resolution: Resolution) -> bool:
    """Whether the item still waits for this answer: not where a later program, folding anew, has another one."""
    item = resolution.suspense
    is_open = item.state == SuspenseItem.State.OPEN and resolution.state == Resolution.State.PROPOSED
    is_over = item.payment is None or item.payment.state != Payment.State.OPEN
    is_as_much = not item.in_books or item.amount_fen == resolution.amount_fen
    return is_open and is_over and is_as_much and resolution.outcome in ways_out(in_books=item.in_books)


def cancel(user: Any, resolution: Resolution, reason: str) -> Resolution:
    """Take back one's own proposal, or turn down another's; it is kept with the reason, the item stays open.

    Raises:
        ReasonNeeded: no reason.
        Stale: it was confirmed or cancelled meanwhile.
    """
    own = resolution.by_id == user.pk
    check(user, resolution.project_id, Act.PROPOSE_CLAIM if own else Act.CONFIRM_CLAIM)
    if not plain(reason):
        raise ReasonNeeded("cancel")
    with books.changing(resolution.project_id) as stream:
        resolution.refresh_from_db()
        if resolution.state != Resolution.State.PROPOSED:
            raise Stale(resolution.id)
        body = {"resolution_id": str(resolution.id), "reason": plain(reason)}
        command = books.record(stream, "claim.cancelled", body, user)
        apply_cancel(stream, command)
        audit.note(resolution.project_id, user, "claim.cancel", resolution.suspense, reason=reason, at=command.at)
    resolution.refresh_from_db()
    return resolution


def apply_cancel(stream: Stream, command: OfficeCommand) -> None:
    Resolution.objects.filter(project_id=stream.project_id, id=command.body["resolution_id"]).update(
        state=Resolution.State.CANCELLED,
        closed_by=command.by,
        closed_at=command.at,
        close_reason=command.body["reason"],
    )
