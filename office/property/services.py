"""Changes of units and their people."""

import datetime
import uuid
from collections.abc import Iterable

from office.ledger.eras import next_change
from office.ledger.models import Stream
from office.property.models import Unit


def touch(stream: Stream, unit_ids: Iterable[uuid.UUID]) -> None:
    """Mark units as changed, so that kiosks fetch them and their bills again. The caller saves the stream.

    The number comes from the locked stream row, so a later number never becomes visible before an earlier one.
    """
    change_no = next_change(stream)
    Unit.objects.filter(project_id=stream.project_id, id__in=list(unit_ids)).update(changed_no=change_no)


def business_date(moment: datetime.datetime, time_zone: datetime.tzinfo) -> datetime.date:
    """The calendar day of a moment where the project stands."""
    return moment.astimezone(time_zone).date()
