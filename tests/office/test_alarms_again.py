"""When what a kiosk tells again is the same alarm and when it is another one, live and after a rebuild."""

from kiosk.domain import events
from office.kiosks.models import Alarm
from office.kiosks.rules import BOX_OUT
from office.ledger.digest import books_digest
from office.ledger.rebuild import rebuild
from office.payments import services
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import Estate, add_person

LOST, SILENT = "acceptor.note_lost", "acceptor.silent"


def tells(estate: Estate, *codes: str) -> None:
    estate.writer.append(*(events.DeviceFault(device="bill_acceptor", code=code) for code in codes))
    estate.upload()


def somebody_knows(estate: Estate) -> None:
    technician = add_person(estate.project, Role.TECHNICIAN)
    for alarm in Alarm.objects.filter(acknowledged_at=None):
        services.acknowledge_alarm(technician, alarm)


def unknown_to_all(estate: Estate) -> list[str]:
    return [alarm.code for alarm in Alarm.objects.filter(acknowledged_at=None, cleared_at=None).order_by("code")]


@both_engines
def test_a_fact_that_is_told_again_after_somebody_knew_of_it_is_another_alarm(estate: Estate) -> None:
    tells(estate, LOST, LOST)
    assert Alarm.objects.count() == 1
    somebody_knows(estate)
    tells(estate, LOST, LOST)
    assert (Alarm.objects.count(), unknown_to_all(estate)) == (2, [LOST])
    estate.upload(first_seq=1)
    assert Alarm.objects.count() == 2, "the same batch again tells nothing new"
    before = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == before
    assert unknown_to_all(estate) == [LOST]


def test_a_fault_that_began_anew_unheard_is_another_alarm_and_both_end_together(estate: Estate) -> None:
    tells(estate, SILENT)
    somebody_knows(estate)
    tells(estate, SILENT)
    assert unknown_to_all(estate) == [SILENT]
    estate.writer.append(events.DeviceFaultCleared(device="bill_acceptor", code=SILENT))
    estate.upload()
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_a_box_that_is_taken_out_is_one_alarm_for_its_fault_and_its_removal_and_so_is_the_next(estate: Estate) -> None:
    for count in (1, 2):
        tells(estate, BOX_OUT)
        estate.writer.append(events.CashboxRemoved(acceptor_serial="S1"))
        estate.upload()
        assert (Alarm.objects.count(), unknown_to_all(estate)) == (count, [BOX_OUT])
        somebody_knows(estate)
