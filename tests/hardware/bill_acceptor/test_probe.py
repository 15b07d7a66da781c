"""``kiosk probe`` names what is attached and moves no money."""

import json

import pytest
import serial

from kiosk.hardware import probe
from kiosk.hardware.bill_acceptor.ssp.frames import Command
from kiosk.hardware.ports import NoteEscrowed


def test_it_names_the_device_and_its_faces(plug_in, link, capsys) -> None:
    plug_in()
    assert probe.main(["--port", str(link), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["port"] == str(link)
    assert (found["protocol"], found["currency"], found["serial"]) == ("SSP 7", "CNY", "4021077")
    assert found["faces"] == {"1": 100, "2": 500, "3": 1000, "4": 2000, "5": 5000, "6": 10000}
    assert found["counters"] == {"stacked": 0, "rejected": 0}


def test_people_get_words(plug_in, link, capsys) -> None:
    plug_in()
    assert probe.main(["--port", str(link)]) == 0
    told = capsys.readouterr().out
    assert "6: ¥100.00" in told
    assert "Innovative Technology" in told


def test_it_never_polls_so_a_held_note_is_not_accepted(plug_in, attach, link) -> None:
    acceptor, host, sent = plug_in(), attach(accept=False).start(), []
    acceptor.insert(10000)
    host.take(NoteEscrowed)
    host.abandon()
    acceptor.tamper(lambda code, answer: (sent.append(code), answer)[1])
    assert probe.main(["--port", str(link)]) == 0
    assert Command.POLL not in sent
    assert acceptor.ledger()["stacker"] == {}


def test_a_missing_port_is_said_in_one_sentence(capsys) -> None:
    assert probe.main(["--port", "/dev/no-such-port", "--json"]) == 1
    streams = capsys.readouterr()
    assert "/dev/no-such-port" in json.loads(streams.out)["error"]
    assert len(streams.err.splitlines()) == 1
    assert "Errno" not in streams.err


def test_a_running_kiosk_is_not_talked_into(plug_in, link, capsys) -> None:
    plug_in()
    with serial.Serial(str(link), exclusive=True):
        assert probe.main(["--port", str(link)]) == 1
    assert "held by another program" in capsys.readouterr().err


def test_without_a_known_port_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(probe, "DEFAULT_PORT", "/dev/no-such-port")
    monkeypatch.setattr(probe.list_ports, "comports", list)
    assert probe.main([]) == 1
    assert "name the port with --port" in capsys.readouterr().err


def test_help_and_wrong_usage(capsys) -> None:
    for argv, status in ((["--help"], 0), (["--frobnicate"], 2)):
        with pytest.raises(SystemExit) as ended:
            probe.main(argv)
        assert ended.value.code == status
    assert "Moves no money" in capsys.readouterr().out
