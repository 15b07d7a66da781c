"""A kiosk's ten-thousandth upload costs no more than its first."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from office.kiosks import services
from tests.office.estate import Estate

SMALL_ENOUGH = ("seq", "ingest_no")  # an index that ends in one of these finds few rows, however long the journal


def test_no_upload_reads_a_whole_journal(estate: Estate) -> None:
    services.take(estate.kiosk, estate.writer.journal_id, estate.writer.batch(), "first", told_seq=0)
    estate.pay(["water"], [10000, 1000])
    with CaptureQueriesContext(connection) as asked:
        services.take(estate.kiosk, estate.writer.journal_id, estate.writer.batch(), "second", told_seq=1)
    selects = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
    plans = [plan for sql in selects for plan in _plans(sql) if "kiosks_rawevent" in plan]
    assert len(plans) >= 4, "held hashes, the last entry, what waits to be folded, what is in quarantine"
    whole = [plan for plan in plans if not plan.rpartition(" AND ")[2].startswith(SMALL_ENOUGH)]
    assert not whole, "these read all that a kiosk ever sent"


def _plans(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]
