"""A journal that is migrated to tables of a newer version, in a process of its own.

Run as ``python -m tests.power_cut.migration JOURNAL PAYMENTS``. It marks ``written`` when the old journal is whole and closed, ``migrated`` when
migrate() has returned.
"""

import os
import sys
from contextlib import closing
from pathlib import Path

from kiosk.offline_queue import migrations
from kiosk.offline_queue.journal import Journal
from tests.offline_queue import journals
from tests.power_cut.operations import mark

STEPS = [*migrations.scripts(), "CREATE TABLE more (x TEXT) STRICT;"]


def main(path: Path, payments: int) -> None:
    record = os.open(os.environ["POWER_CUT_RECORD"], os.O_WRONLY | os.O_APPEND)
    with closing(Journal.create(path, journals.SetClock(), journals.genesis())) as journal:
        for number in range(payments):
            journals.pay(journal, f"p-{number}")
    os.write(record, mark("written"))
    assert migrations.migrate(path, STEPS)
    os.write(record, mark("migrated"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
