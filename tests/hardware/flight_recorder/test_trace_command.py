"""``kiosk trace`` with a damaged file among the others: it is named, and hides none of them."""

import json
from pathlib import Path

import pytest

from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.command import main

WHOLE = trace.encode(
    trace.Trace(
        trace.Header(
            device="bill_acceptor",
            protocol="ssp",
            speed=1,
            software="0.1.0",
            fault="acceptor.jam",
            detail="",
            at=1.0,
            wall_ms=1,
            clock="synced",
            boot_id="b",
        ),
        (),
    )
)
DAMAGED = b"\xff\x00\n" * 10


@pytest.fixture
def config(tmp_path: Path) -> str:
    traces = tmp_path / "kiosk" / "traces"
    traces.mkdir(parents=True)
    for number, data in enumerate((WHOLE, DAMAGED, WHOLE), start=1):
        (traces / f"trace-{number:06}-bill_acceptor-acceptor.jam.jsonl").write_bytes(data)
    settings = tmp_path / "kiosk.toml"
    settings.write_text('[kiosk]\nstate_dir = "kiosk"\n')
    return str(settings)


def test_the_list_names_the_damaged_one_among_the_others(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--config", config]) == 0
    first, damaged, last = capsys.readouterr().out.splitlines()
    assert ["1970-01-01" in row for row in (first, damaged, last)] == [True, False, True]
    assert [word for word in ("unreadable", "trace-000002", "line 1") if word not in damaged] == []
    assert main(["list", "--config", config, "--json"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["number"] for row in rows if "unreadable" in row] == [2]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_damaged_one_is_not_shown_and_its_name_and_the_way_on_are(
    config: str, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert main(["show", "2", "--config", config, *options]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert [word for word in ("trace-000002", "export") if word not in told.err] == []


def test_a_damaged_one_is_exported_as_it_is(config: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["export", "2", "--config", config]) == 0
    assert capfdbinary.readouterr().out == DAMAGED
