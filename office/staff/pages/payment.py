"""One payment: what it settled, its notes, the kiosk's raw events as a chain, its postings, its cases and decisions."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from kiosk.domain.events import UnknownEvent, decode
from office.kiosks.when import When, when
from office.payments import selectors, services
from office.payments.models import Allocation, Payment, Review
from office.staff.pages import words
from office.staff.pages.bill_rows import BillWords, bill_words, late_text
from office.staff.pages.case_rows import case_rows
from office.staff.pages.comparison import compared
from office.staff.pages.event_text import describe, yuan
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.payment_rows import payment_rows
from office.staff.pages.people import name_of
from office.staff.pages.uploads import neighbours, whole_number
from office.staff.permissions import Act

HASH_DIGITS = 8
LATE_AFTER = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class ChainRow:
    """One raw event in words, beside its stored bytes and hashes."""

    shown: selectors.ShownEvent
    word: words.Word
    content: str

    @property
    def is_money(self) -> bool:
        return self.shown.raw.kind in words.MONEY_EVENTS

    @property
    def previous(self) -> str:
        return self.shown.prev_hash[:HASH_DIGITS]

    @property
    def own(self) -> str:
        return self.shown.hash[:HASH_DIGITS]

    @property
    def kiosk_clock(self) -> str:
        """The kiosk's own wall clock, to the millisecond: evidence, not corrected."""
        wall_ms = self.shown.raw.wall_ms
        moment = datetime.datetime.fromtimestamp(wall_ms / 1000, tz=timezone.get_current_timezone())
        return f"{moment:%H:%M:%S}.{wall_ms % 1000:03d}"


@dataclass(frozen=True)
class AccountRow:
    """One account's net of a payment, in the debit or in the credit column."""

    code: str
    name: str
    amount_fen: int

    @property
    def debit_fen(self) -> int | None:
        return self.amount_fen if self.amount_fen > 0 else None

    @property
    def credit_fen(self) -> int | None:
        return -self.amount_fen if self.amount_fen < 0 else None


@dataclass(frozen=True)
class LineRow:
    """What one component of one bill got, with how it is computed."""

    part: Allocation
    bill: BillWords
    component: words.Word
    how: str


@dataclass(frozen=True)
class Step:
    """One line of what happened, in order."""

    at: datetime.datetime
    text: str


def chain_row(shown: selectors.ShownEvent) -> ChainRow:
    try:
        content = describe(decode(shown.body.encode()))
    except UnknownEvent:
        content = gettext("看不懂的记录，原文已保存")
    return ChainRow(shown, words.word(words.EVENT, shown.raw.kind), content)


def account_rows(page: selectors.PaymentPage) -> list[AccountRow]:
    """Debits first; an account that stands for a bill carries the fee item's name, not its every bill."""
    english = get_language() == "en"
    sums: dict[tuple[str, str], int] = {}
    for line in page.ledger:
        name = (line.account_name_en if english else "") or line.account_name
        about = f" {bill_words(line.bill).name}" if line.bill else ""
        key = (line.account_code, name + about)
        sums[key] = sums.get(key, 0) + line.amount_fen
    rows = [AccountRow(code, name, amount) for (code, name), amount in sums.items() if amount]
    return sorted(rows, key=lambda row: (row.amount_fen < 0, row.code, row.name))


def line_row(part: Allocation) -> LineRow:
    bill = bill_words(part.bill)
    is_late_fee = part.component == "late_fee" and part.bill.late_rule is not None
    how = late_text(part.late_days, part.bill.late_rule.rate_ppm) if is_late_fee else bill.how
    return LineRow(part, bill, words.word(words.COMPONENT, part.component), how)


def steps_of(page: selectors.PaymentPage) -> list[Step]:
    """What happened, from the payer's choice to the last decision."""
    payment = page.payment
    steps = [Step(payment.opened_at, gettext("缴费人打开缴费，选 {n} 笔账单").format(n=len(payment.picked)))]
    if payment.paid_at:
        steps.append(Step(payment.paid_at, str(words.word(words.ENDED, payment.ended))))
        steps.append(Step(payment.received_at, arrival_of(page)))
    for review in page.reviews:
        text = gettext("{who}：{decision}").format(
            who=name_of(review.by), decision=words.DECISION[review.decision].word
        )
        steps.append(Step(review.at, f"{text}　{review.reason}".strip()))
    return sorted(steps, key=lambda step: step.at)


def arrival_of(page: selectors.PaymentPage) -> str:
    """Where the money went when the payment's end reached the office; an unclear note is a claim of its own."""
    unplaced_fen = sum(item.amount_fen for item in page.suspense if item.note_id is None)
    is_posted = page.payment.business_date is not None  # else no settlement says where the payer meant it to go
    if not unplaced_fen:
        return gettext("到达办公室，已按规则入账") if is_posted else gettext("到达办公室，没有收钱，不用入账")
    if is_posted and unplaced_fen < page.payment.amount_fen:
        return gettext("到达办公室，已按规则入账，其中 {sum} 记入待查款项").format(sum=yuan(unplaced_fen))
    return gettext("到达办公室，收到的钱记入待查款项")


def paid_when(page: selectors.PaymentPage) -> When | None:
    """When the kiosk wrote the settlement; None while there is none."""
    settled_seq = page.payment.settled_seq
    return next((when(shown.raw) for shown in page.events if shown.raw.seq == settled_seq), None)


def find(desk: Desk, payment_id: uuid.UUID) -> selectors.PaymentPage:
    page = selectors.payment_page(desk.project, payment_id)
    if page is None:
        raise Http404
    return page


def content(request: HttpRequest, desk: Desk, page: selectors.PaymentPage, **more: Any) -> dict[str, Any]:
    payment = page.payment
    chain, accounts = [chain_row(shown) for shown in page.events], account_rows(page)
    paid = paid_when(page)
    waited = payment.received_at - paid.at_the_latest if paid else datetime.timedelta(0)
    return {
        **shell(request, desk, "uploads"),
        "page": page,
        "payment": payment,
        "row": payment_rows([payment])[0],
        "paid": paid,
        "comparison": compared(page),
        "lines": [line_row(part) for part in page.allocations],
        "chain": chain,
        "chain_is_whole": all(row.shown.linked for row in chain),
        "accounts": accounts,
        "posted_fen": sum(row.debit_fen or 0 for row in accounts),
        "faces": [(face, count, face * count) for face, count in page.faces.items()],
        "notes_count": sum(page.faces.values()),
        "notes_fen": sum(face * count for face, count in page.faces.items()),
        "doubtful": [note for note in page.notes if note.state in ("unknown", "suspense")],
        "cases": case_rows(page.cases),
        "steps": steps_of(page),
        "late_by": waited if waited > LATE_AFTER else None,
        "slip": words.word(words.SLIP, payment.slip),
        "queue": neighbours(desk, payment),
        "can_handle": desk.may(Act.HANDLE_CASES),
        "can_review": desk.may(Act.REVIEW) and payment.state in (Payment.State.BOOKED, Payment.State.EXCEPTION),
        "seen": len(page.reviews),
        "last_review": page.reviews[-1] if page.reviews else None,
        **more,
    }


@staff_page(Act.SEE_MONEY)
def payment(request: HttpRequest, desk: Desk, payment_id: uuid.UUID) -> HttpResponse:
    return render(request, "office/payment.html", content(request, desk, find(desk, payment_id)))


@require_POST
@staff_page(Act.REVIEW)
def review(request: HttpRequest, desk: Desk, payment_id: uuid.UUID) -> HttpResponse:
    """Accept, query or dispute. Sending the same form twice decides once."""
    page = find(desk, payment_id)
    decision, reason = request.POST.get("d", ""), request.POST.get("why", "")
    seen = whole_number(request.POST.get("seen", ""), otherwise=-1)
    if decision not in Review.Decision.values:
        return _again(request, desk, page, trouble="no_decision", typed_reason=reason)
    try:
        services.review(request.user, page.payment, decision, reason, seen=seen)
    except services.ReasonNeeded:
        return _again(request, desk, page, trouble="no_reason", typed_reason=reason, decision=decision)
    except services.Stale:
        return _again(request, desk, page, trouble="stale")
    messages.success(request, gettext("决定已记下。账目没有改动。"), extra_tags="ok")
    next_id = neighbours(desk, page.payment).get("next_id")
    then_next = request.POST.get("then") == "next" and next_id
    return redirect("office:payment", desk.project.code, next_id if then_next else payment_id)


def _again(request: HttpRequest, desk: Desk, page: selectors.PaymentPage, **more: Any) -> HttpResponse:
    """The page as it is now, with what was typed and why nothing was decided."""
    context = content(request, desk, find(desk, page.payment.id), **more)
    return render(request, "office/payment.html", context, status=409 if more["trouble"] == "stale" else 422)
