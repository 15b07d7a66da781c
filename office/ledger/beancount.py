"""The ledger in Beancount's plain text, so that a program that knows nothing of ours can check every sum."""

import datetime
from collections.abc import Iterable, Iterator

from django.db.models import Max, Sum

from office.ledger.models import Account, LedgerEntry, Posting
from office.property.models import Project

_ROOTS = {"asset": "Assets", "liability": "Liabilities", "revenue": "Income", "expense": "Expenses"}


def export(projects: Iterable[Project]) -> Iterator[str]:
    """The lines of one file: accounts opened, entries in the order of the stream, the balance of each account."""
    yield 'option "title" "Menting office ledger"'
    yield 'option "operating_currency" "CNY"'
    for project in projects:
        yield ""
        yield f"; {project.code} {project.name}"
        first = LedgerEntry.objects.filter(project=project).order_by("date").values_list("date", flat=True).first()
        if first is None:
            continue
        for account in Account.objects.filter(project=project):
            yield f"{first} open {account_name(project, account)} CNY"
        entries = LedgerEntry.objects.filter(project=project).prefetch_related(
            "postings__account", "postings__unit", "postings__kiosk"
        )
        for entry in entries.order_by("date", "ingest_no", "id").iterator(500):
            yield from _entry(project, entry)
        yield from _balances(project)


def _balances(project: Project) -> Iterator[str]:
    """What every account must come to at the end: so an entry that is missing from the file is missed."""
    ends = LedgerEntry.objects.filter(project=project).aggregate(last=Max("date"))["last"] + datetime.timedelta(days=1)
    yield ""
    for account in Account.objects.filter(project=project).annotate(sum=Sum("postings__amount_fen")):
        yield f"{ends} balance {account_name(project, account)} {yuan(account.sum or 0)} CNY"


def account_name(project: Project, account: Account) -> str:
    """Assets:YG:A1009-K: every part begins with a capital letter or a digit."""
    return f"{_ROOTS[account.type]}:{project.code.upper()}:{account.code.replace('.', '-').upper()}"


def _entry(project: Project, entry: LedgerEntry) -> Iterator[str]:
    yield ""
    yield f'{entry.date} * "{entry.event}" "{entry.ref_type} {entry.ref_id}"'
    yield f"  stream: {entry.ingest_no}"
    for posting in entry.postings.all():
        yield f"  {account_name(project, posting.account)}  {yuan(posting.amount_fen)} CNY"
        yield from _where(posting)


def _where(posting: Posting) -> Iterator[str]:
    if posting.unit:
        yield f'    unit: "{posting.unit.code}"'
    if posting.kiosk:
        yield f'    kiosk: "{posting.kiosk.code}"'
    if posting.bill_id:
        yield f'    bill: "{posting.bill_id}"'


def yuan(fen: int) -> str:
    """-123450 is -1234.50."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"
