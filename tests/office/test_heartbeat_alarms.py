"""What a kiosk says of its queue and its disk reaches staff: one alarm for as long as it says so, and nothing written otherwise."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kiosk.domain.events import DeviceFault
from office.kiosks.models import Alarm
from office.kiosks.selectors import open_alarms
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_everything
from office.payments import services
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import Estate, add_person
from tests.office.signed_client import SignedClient
from tests.office.test_api import heartbeat_of

DAY_S = 86_400
QUIET = {"unsent": 999, "oldest_unsent_s": DAY_S - 1, "journal": "ready"}


def beat(estate: Estate, **says: object) -> list[str]:
    """A heartbeat over the API; what stands afterwards."""
    answer = SignedClient(estate.key).call("POST", "/kiosk/heartbeats", heartbeat_of(estate, **QUIET | says))
    assert answer.status_code == 200
    return sorted(open_alarms(estate.project).values_list("code", flat=True))


@both_engines
@pytest.mark.parametrize(
    ("says", "code", "severity", "detail"),
    [
        ({"unsent": 1000}, "upload.behind", "warn", ""),
        ({"unsent": 1, "oldest_unsent_s": DAY_S}, "upload.behind", "warn", ""),
        ({"journal": "disk.margin", "disk_free_mb": 31}, "disk.margin", "now", "31 MB"),
    ],
    ids=["a thousand", "a day old", "no room"],
)
def test_it_is_one_alarm_until_the_kiosk_says_that_it_is_over(
    estate: Estate, says: dict, code: str, severity: str, detail: str
) -> None:
    assert beat(estate) == []
    assert [beat(estate, **says) for _ in range(3)] == [[code]] * 3
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.detail, alarm.source) == (severity, detail, Alarm.Source.OFFICE)
    assert beat(estate) == []
    assert Alarm.objects.get().cleared_at is not None
    assert beat(estate, **says) == [code]
    assert Alarm.objects.count() == 2, "another trouble, another alarm"


def test_each_of_two_goes_by_itself(estate: Estate) -> None:
    assert beat(estate, unsent=2000, journal="disk.margin") == ["disk.margin", "upload.behind"]
    assert beat(estate, journal="disk.margin") == ["disk.margin"]
    assert beat(estate, unsent=0, oldest_unsent_s=DAY_S) == [], "nothing that waits is old"


def test_a_heartbeat_that_repeats_its_trouble_writes_nothing(estate: Estate) -> None:
    estate.upload()
    says = {"unsent": 2000, "journal": "disk.margin"}
    beat(estate, **says)
    with CaptureQueriesContext(connection) as queries:
        beat(estate, **says)
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []


def test_a_kiosk_that_does_not_speak_of_its_journal_raises_and_clears_nothing(estate: Estate) -> None:
    says: dict[str, object] = {"journal_id": estate.writer.journal_id, "sent": heartbeat_of(estate)["sent"]}
    assert SignedClient(estate.key).call("POST", "/kiosk/heartbeats", says).status_code == 200
    assert not Alarm.objects.exists()
    says["journal"] = "disk.margin"
    assert SignedClient(estate.key).call("POST", "/kiosk/heartbeats", says).status_code == 200
    assert Alarm.objects.get().detail == "", "it did not say how much is free"


def test_a_rebuild_keeps_it_as_it_stands_and_makes_equal_books(estate: Estate) -> None:
    estate.writer.append(DeviceFault(device="printer", code="printer.paper_out"))
    estate.upload()
    assert beat(estate, unsent=1000) == ["printer.paper_out", "upload.behind"]
    alarm = Alarm.objects.get(code="upload.behind")
    services.acknowledge_alarm(add_person(estate.project, Role.TECHNICIAN), alarm, "on my way")
    before = Alarm.objects.filter(id=alarm.id).values().get()
    rebuild(estate.project.id)
    assert Alarm.objects.filter(id=alarm.id).values().get() == before
    assert list(verify_everything(fold_again=True)) == []
    assert beat(estate, unsent=1000) == ["printer.paper_out", "upload.behind"]
    assert Alarm.objects.count() == 2
