"""On PostgreSQL uploads and folding run at once: neither may wait for the other in a circle."""

import threading
import time

import pytest
from django.db import DatabaseError, connection, transaction

from office.kiosks import ingest
from office.kiosks.models import Journal
from office.ledger import stream as books
from tests.office.estate import Estate

HUNDRED, TEN_YUAN = 10000, 1000


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_kiosk_uploads_while_its_earlier_events_are_folded(estate: Estate) -> None:
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    first = estate.writer.batch()
    ingest.store(estate.kiosk, estate.writer.journal_id, first)
    estate.pay([], [HUNDRED])
    second = estate.writer.batch(first.last_seq + 1)
    failures: list[DatabaseError] = []

    def upload() -> None:
        try:
            ingest.store(estate.kiosk, estate.writer.journal_id, second)
        except DatabaseError as failure:
            failures.append(failure)
        finally:
            connection.close()

    uploading = threading.Thread(target=upload)
    with transaction.atomic():
        stream = books.locked(estate.project.id)
        uploading.start()
        until_somebody_waits()
        books.fold_chunk(stream)
        stream.save()
    uploading.join(20)
    assert failures == []
    assert Journal.objects.get().high_seq == second.last_seq


def until_somebody_waits() -> None:
    """Until another session of the cluster stands before a lock."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("nobody ever waited")
