"""Documents that repeat what the program knows are held against it."""

import re
from pathlib import Path

import pytest

from kiosk.hardware.faults import FAULTS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_fault_codes_document_says_what_the_table_says() -> None:
    text = (ROOT / "docs" / "fault-codes.md").read_text(encoding="utf-8")
    for kind in FAULTS.values():
        row = f"| `{kind.code}` | {kind.payer_code} | {kind.severity} | {'yes' if kind.stops_cash else 'no'} | {kind.meaning} | {kind.next_step} |"
        assert row in text, f"docs/fault-codes.md lacks: {row}"
    listed = re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(FAULTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert not missing


def test_every_step_of_the_note_followed_in_the_architecture_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"`((?:kiosk|office)/[\w/]+\.py):([\w.]+)`", text)
    assert len(steps) >= 10
    for file, name in steps:
        source = (ROOT / file).read_text(encoding="utf-8")
        last = name.rpartition(".")[2]
        assert re.search(rf"(def|class) {last}\b", source), f"{file} has no {name}"


def test_every_thread_stands_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "kiosk").rglob("*.py"))
    names = re.findall(r'Thread\([^\n]*name="([^"]+)"', source)
    assert len(names) >= 9
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_setting_stands_in_the_example() -> None:
    from kiosk import settings

    example = settings.load(ROOT / "config" / "kiosk.example.toml")
    assert settings.msgspec.structs.replace(example, base_dir=".") == settings.Settings()
