"""A settings file that can't be used says which file, section, key and bound, and the kiosk does not start."""

import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.settings import Settings, SettingsError, load

ROOT = Path(__file__).resolve().parents[1]


def refusal(tmp_path: Path, text: str) -> str:
    file = tmp_path / "kiosk.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(file)
    message = str(refused.value)
    assert str(file) in message
    return message


def test_an_empty_file_gives_a_kiosk_with_every_default(tmp_path):
    file = tmp_path / "kiosk.toml"
    file.write_text("")
    settings = load(file)
    assert settings.kiosk == Settings().kiosk
    assert settings.state_dir == tmp_path / "state/kiosk"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kiosk]\nspeeed = 1", ("[kiosk] speeed", "unknown")),
        ("[kisok]\nspeed = 1", ("[kisok]", "unknown")),
        ('[screen]\nwidth_px = "wide"', ("[screen] width_px", "int")),
        ("[screen]\nwidth_px = 100", ("[screen] width_px", "480")),
        ("[kiosk]\ndisk_margin_mb = 1", ("[kiosk] disk_margin_mb", "8")),
        ('[kiosk]\nlanguage = "fr"', ("[kiosk] language", "fr", "zh-Hans, en")),
        ('[bill_acceptor]\nprotocol = "semaphore"', ("[bill_acceptor] protocol", "semaphore", "ssp, none")),
        ("[bill_acceptor]\nfaces_fen = [300]", ("[bill_acceptor] faces_fen", "300")),
        ("[bill_acceptor]\nfaces_fen = []", ("[bill_acceptor] faces_fen", "empty")),
        ("[receipt_printer]\nwidth_mm = 72", ("[receipt_printer] width_mm", "72", "58, 80")),
        ('[office]\nurl = "office.example"', ("[office] url", "office.example", "https://")),
        ('[office]\nurl = "https://"', ("[office] url", "https://office.example")),
        ("[office]\nheartbeat_s = 0", ("[office] heartbeat_s", "1")),
        ("[office\n", ("not TOML",)),
        ('base_dir = "/"', ("base_dir", "not a setting")),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_is_expected(tmp_path, text, words):
    message = refusal(tmp_path, text)
    for word in words:
        assert word in message


def test_a_file_in_another_encoding_says_which_it_must_be(tmp_path):
    file = tmp_path / "kiosk.toml"
    file.write_bytes("# 门厅".encode("gb18030"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load(file)


def test_a_missing_file_says_how_to_name_one(tmp_path):
    with pytest.raises(SettingsError, match="--config"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["kiosk.example.toml", "simulated.toml"])
def test_the_files_that_are_shipped_can_be_read(name):
    load(ROOT / "config" / name)


@pytest.mark.parametrize("command", ["run", "agent", "screen", "check"])
def test_no_command_starts_with_a_wrong_setting_and_each_says_why_in_one_line(tmp_path, command):
    file = tmp_path / "kiosk.toml"
    file.write_text("[screen]\nwidth_px = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", command, "--config", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    said = done.stderr + done.stdout
    assert "[screen] width_px" in said
    assert "Traceback" not in said


def test_the_kiosk_command_lists_what_there_is_and_refuses_what_there_is_not():
    def kiosk(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "kiosk", *arguments], capture_output=True, text=True, check=False)

    listed = kiosk("--help")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in ("run", "agent", "screen", "check", "pair", "journal", "receipt"))
    assert kiosk("dance").returncode == 2
    assert kiosk("agent").returncode == 2
    assert kiosk("check", "--help").returncode == 0
