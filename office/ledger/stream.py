"""The one stream of a project: kiosk events and office commands in the order in which the office had them.

Its row is the lock under which books change. A command first folds every event that came before it, so that
a rebuild, which goes through the numbers in order, comes to equal books.
"""

import datetime
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from office.kiosks.models import Journal, RawEvent
from office.ledger.models import OfficeCommand, Stream
from office.ledger.posting import open_accounts
from office.payments.folding import fold_events
from office.property.models import Project
from office.rows import derived_id

CHUNK = 100  # events folded in one transaction
BACKLOG = 500  # unfolded events from which on a project waits until no more come
QUIET = datetime.timedelta(seconds=1)


def open_books(project: Project) -> None:
    """Give a new project its stream and accounts; harmless when it has them."""
    Stream.objects.get_or_create(id=derived_id(project.id, "stream"), defaults={"project": project})
    open_accounts(project.id)


def locked(project_id: uuid.UUID) -> Stream:
    """The project's stream, locked until the surrounding transaction ends."""
    return Stream.objects.select_for_update(no_key=True).get(id=derived_id(project_id, "stream"))


@contextmanager
def changing(project_id: uuid.UUID) -> Iterator[Stream]:
    """One transaction in which a person of the office changes the books: everything that came before is folded first."""
    with transaction.atomic():
        stream = locked(project_id)
        while fold_chunk(stream):
            pass
        yield stream
        stream.save()


def record(
    stream: Stream, kind: str, body: dict[str, Any], by: Any, at: datetime.datetime | None = None
) -> OfficeCommand:
    """Put a command into the stream; the caller applies it in the same transaction, a rebuild applies it again."""
    stream.last_no += 1
    stream.folded_no = stream.last_no
    return OfficeCommand.objects.create(
        id=derived_id(stream.project_id, "command", stream.last_no),
        project_id=stream.project_id,
        ingest_no=stream.last_no,
        kind=kind,
        body=body,
        by=by,
        at=at or timezone.now(),
    )


def fold_chunk(stream: Stream, limit: int = CHUNK) -> int:
    """Fold the next events of a locked stream, in order; how many there were."""
    return fold_events(
        stream, RawEvent.objects.filter(project_id=stream.project_id, ingest_no__gt=stream.folded_no), limit
    )


def fold(project_id: uuid.UUID, budget_s: float | None = None) -> bool:
    """Fold what is pending, chunk by chunk, each durable on its own; False when the budget ran out before the end."""
    until = None if budget_s is None else time.monotonic() + budget_s
    while True:
        with transaction.atomic():
            stream = locked(project_id)
            count = fold_chunk(stream)
            if count:
                stream.save()
        if count < CHUNK:
            return True
        if until is not None and time.monotonic() >= until:
            return False


def is_behind(project_id: uuid.UUID) -> bool:
    """Whether a backlog waits to be folded."""
    return Stream.objects.filter(project_id=project_id, last_no__gte=F("folded_no") + BACKLOG).exists()


def projects_behind() -> list[uuid.UUID]:
    """Projects with events that are stored and not yet folded, without those whose kiosk is handing over a backlog right now:
    it waits for the same lock, and its entries are safer here than there."""
    behind = Stream.objects.filter(folded_no__lt=F("last_no"))
    arriving = behind.filter(
        last_no__gte=F("folded_no") + BACKLOG,
        project__in=Journal.objects.filter(last_ingest_at__gt=timezone.now() - QUIET).values("project"),
    )
    return list(behind.exclude(id__in=arriving.values("id")).values_list("project_id", flat=True))
