"""`office verify` while an upload is folded: what a check saw half of is looked for again, and what is really off stays named."""

from collections.abc import Iterator

import pytest

from office.kiosks.models import Journal
from office.ledger import verify, verify_uploads
from office.ledger.verify import verify_project
from office.property.models import Project
from tests.office.engines import both_engines
from tests.office.estate import Estate


@both_engines
def test_a_payment_that_is_folded_while_a_check_reads_is_no_finding(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.upload()
    paid = []

    def overtaken(project: Project) -> Iterator[tuple[str, str]]:
        before = Journal.objects.get().posted_seq
        if not paid:
            paid.append(estate.pay([], [10000]))
            estate.upload()
        if Journal.objects.get().posted_seq != before:
            yield "journal", "moved between two looks"

    monkeypatch.setattr(verify, "QUICK", (overtaken, verify_uploads.stream_whole))
    assert list(verify_project(estate.project, quick=True)) == []
    assert paid


def test_what_is_off_is_off_at_the_second_look_too(estate: Estate) -> None:
    estate.pay([], [10000])
    estate.upload()
    Journal.objects.update(posted_seq=1)
    found = [finding.invariant for finding in verify_project(estate.project)]
    Journal.objects.update(posted_seq=len(estate.writer.events))
    assert "stream_whole" in found
