"""What staff do about payments, cases and alarms. None of it changes money: corrections are reversals (decisions 21).

Every function checks the person's roles itself, records an office command and applies it in one transaction, so that a
rebuild comes to the same state. Raises Http404 / PermissionDenied as staff.permissions.check().
"""

from typing import Any

from office.kiosks.models import Alarm
from office.ledger import stream as books
from office.ledger.models import OfficeCommand, Stream
from office.payments import overtaken
from office.payments.cases import open_case
from office.payments.models import Case, Payment, Review, SuspenseItem
from office.rows import derived_id
from office.staff import audit
from office.staff.models import Membership
from office.staff.permissions import Act, check


class ReasonNeeded(ValueError):
    """A query, a dispute or closing a case needs a reason; ask the person for one."""


class NeedsTwo(Exception):
    """Money without a place hangs on this case: only evidence or two people close it (payments.claims)."""


class Stale(Exception):
    """Somebody else has just handled this; show the row again before deciding anew."""


def review(user: Any, payment: Payment, decision: str, reason: str = "", *, seen: int | None = None) -> Review:
    """Accept, query or dispute a payment (Review.Decision). ``seen`` is how many decisions the person was shown.

    Accepting closes what the payment has open, except claims about notes that only a count can answer. Query and dispute
    need a reason and open a case with an owner and an age.

    Raises:
        ReasonNeeded: query or dispute without a reason.
        Stale: the payment is still open, so there is nothing to decide on yet; or there is a decision the person
            has not seen, which may be their own, sent twice.
    """
    check(user, payment.project_id, Act.REVIEW)
    decision, reason = Review.Decision(decision), plain(reason)
    if decision != Review.Decision.ACCEPT and not reason:
        raise ReasonNeeded(decision)
    with books.changing(payment.project_id) as stream:
        payment.refresh_from_db()
        if payment.state in (Payment.State.OPEN, Payment.State.CANCELLED):
            raise Stale(payment.id)
        if seen is not None and payment.reviews.count() != seen:
            raise Stale(payment.id)
        body = {"payment_id": str(payment.id), "decision": decision, "reason": reason}
        command = books.record(stream, "payment.reviewed", body, user)
        made = apply_review(stream, command)
        assert made is not None
        audit.note(payment.project_id, user, f"payment.{decision}", payment, reason=reason, at=command.at)
    payment.refresh_from_db()
    return made


def apply_review(stream: Stream, command: OfficeCommand) -> Review | None:
    payment = Payment.objects.filter(project_id=stream.project_id, id=command.body["payment_id"]).first()
    if payment is None:
        overtaken.told(command)
        return None
    decision, reason = Review.Decision(command.body["decision"]), command.body["reason"]
    match decision:
        case Review.Decision.ACCEPT:
            payment.review = Payment.Review.ACCEPTED
            open_ones = payment.cases.filter(state=Case.State.OPEN, suspense=None)
            open_ones.update(
                state=Case.State.CLOSED, closed_at=command.at, closed_by=command.by, close_reason=reason or "accepted"
            )
            if payment.state == Payment.State.EXCEPTION and not payment.suspense_fen:
                payment.state = Payment.State.BOOKED
        case Review.Decision.QUERY:
            payment.review = Payment.Review.QUERIED
            _asked(stream, command, payment, "query", reason)
        case Review.Decision.DISPUTE:
            payment.review = Payment.Review.DISPUTED
            _asked(stream, command, payment, "dispute", reason)
    payment.save(update_fields=["review", "state"])
    return Review.objects.create(
        id=derived_id(stream.project_id, "review", command.ingest_no),
        project_id=stream.project_id,
        payment=payment,
        decision=decision,
        reason=reason,
        by=command.by,
        at=command.at,
        ingest_no=command.ingest_no,
    )


def _asked(stream: Stream, command: OfficeCommand, payment: Payment, kind: str, reason: str) -> None:
    open_case(
        stream.project_id,
        kind,
        (payment.id, command.ingest_no),
        at=command.at,
        payment=payment,
        kiosk_id=payment.kiosk_id,
        unit_id=payment.unit_id,
        amount_fen=payment.amount_fen,
        reason=reason,
        owner=command.by,
    )


def assign_case(user: Any, case: Case, owner: Any) -> Case:
    """Give a case to a person who has a role in its project; None gives it back to its role.

    Raises:
        Stale: it is closed.
        ValueError: the owner has no role in this project.
    """
    check(user, case.project_id, Act.HANDLE_CASES)
    if owner is not None and not Membership.objects.filter(project_id=case.project_id, user=owner).exists():
        raise ValueError(f"{owner} has no role in this project")
    body = {"case_id": str(case.id), "owner": owner.pk if owner else None}
    return _case_command(user, case, "case.assigned", body, apply_assign)


def apply_assign(stream: Stream, command: OfficeCommand) -> None:
    Case.objects.filter(project_id=stream.project_id, id=command.body["case_id"]).update(owner_id=command.body["owner"])


def close_case(user: Any, case: Case, reason: str) -> Case:
    """Close a case with a reason; the money stays where it is.

    Raises:
        ReasonNeeded: no reason.
        NeedsTwo: it is about a suspense item that is still open.
        Stale: it is closed already.
    """
    check(user, case.project_id, Act.HANDLE_CASES)
    if _needs_two(case):
        raise NeedsTwo(case.id)
    if not plain(reason):
        raise ReasonNeeded("close")
    body = {"case_id": str(case.id), "reason": plain(reason)}
    return _case_command(user, case, "case.closed", body, apply_close)


def _needs_two(case: Case) -> bool:
    return case.suspense is not None and case.suspense.state == SuspenseItem.State.OPEN


def apply_close(stream: Stream, command: OfficeCommand) -> None:
    """What is no case, closed, or about money that waits for two, as a later program folds it, stays as it is."""
    case = Case.objects.filter(project_id=stream.project_id, id=command.body["case_id"]).first()
    if case is None or case.state == Case.State.CLOSED or _needs_two(case):
        overtaken.told(command)
        return
    case.state, case.closed_at = Case.State.CLOSED, command.at
    case.closed_by, case.close_reason = command.by, command.body["reason"]
    case.save()
    payment = case.payment
    asked = Case.objects.filter(payment=payment, kind__in=("query", "dispute"), state=Case.State.OPEN)
    if payment and case.kind in ("query", "dispute") and not asked.exists():
        payment.review = Payment.Review.NONE
        payment.save(update_fields=["review"])


def acknowledge_alarm(user: Any, alarm: Alarm, remark: str = "") -> Alarm:
    """Say that a person knows of an alarm; it stays until the kiosk says it is over.

    Raises:
        Stale: somebody acknowledged it already.
    """
    check(user, alarm.project_id, Act.ACKNOWLEDGE)
    with books.changing(alarm.project_id) as stream:
        alarm.refresh_from_db()
        if alarm.acknowledged_at:
            raise Stale(alarm.id)
        command = books.record(
            stream, "alarm.acknowledged", {"alarm_id": str(alarm.id), "remark": plain(remark)[:200]}, user
        )
        apply_acknowledge(stream, command)
        audit.note(alarm.project_id, user, "alarm.acknowledge", alarm, reason=remark, at=command.at)
    alarm.refresh_from_db()
    return alarm


def apply_acknowledge(stream: Stream, command: OfficeCommand) -> None:
    Alarm.objects.filter(project_id=stream.project_id, id=command.body["alarm_id"]).update(
        acknowledged_at=command.at, acknowledged_by=command.by, remark=command.body["remark"]
    )


def _case_command(user: Any, case: Case, kind: str, body: dict[str, Any], apply: Any) -> Case:
    with books.changing(case.project_id) as stream:
        case.refresh_from_db()
        if case.state == Case.State.CLOSED:
            raise Stale(case.id)
        command = books.record(stream, kind, body, user)
        apply(stream, command)
        audit.note(case.project_id, user, kind, case, reason=body.get("reason", ""), at=command.at)
    case.refresh_from_db()
    return case


def plain(text: str) -> str:
    """What a person typed, as it may be stored."""
    return text.replace("\0", "").strip()[:400]
