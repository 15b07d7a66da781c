"""`kiosk pair` against a loopback office, and the identity it leaves."""

import json
import stat

import pytest

from kiosk.domain.http_signature import key_pin, public_text, raw_public
from kiosk.office_client import pairing
from kiosk.office_client.identity import Identity, IdentityUnusable
from kiosk.office_client.pairing import PairingFailed, split_code
from kiosk.offline_queue.reader import JournalReader
from tests.offline_queue.loopback_office import OFFICE_KEY, STRANGER, LoopbackOffice

PIN = key_pin(raw_public(OFFICE_KEY))
CODE = f"ABCD2345{PIN}"


@pytest.fixture
def office():
    with LoopbackOffice() as running:
        yield running


@pytest.fixture
def settings_file(tmp_path, office):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'[kiosk]\nstate_dir = "state"\n[office]\nurl = "{office.url}"\n')
    return file


def test_a_code_is_exchanged_for_an_identity_and_a_journal(office, settings_file, tmp_path, capsys):
    office.next_receipt_number = 41
    assert pairing.main(["--config", str(settings_file), "--code", CODE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kiosk_code"], told["project_code"]) == ("YG01", "YG")
    file = tmp_path / "state" / "identity.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    identity = Identity.load(file)
    assert raw_public(identity.key) == raw_public(office.kiosk_key)
    assert raw_public(identity.office_key) == raw_public(OFFICE_KEY)
    with JournalReader(tmp_path / "state" / "journal.db") as reader:
        genesis = reader.genesis()
        assert (genesis.kiosk_code, genesis.first_receipt_number) == ("YG01", 41)
        assert genesis.public_key == public_text(identity.key)
        assert told["journal_id"] == reader.journal_id


def test_the_second_half_of_the_code_never_travels(office, tmp_path, monkeypatch):
    seen = []
    real = office.answer

    def listen(method, path, query, body, headers):
        seen.append(body)
        return real(method, path, query, body, headers)

    monkeypatch.setattr(office, "answer", listen)
    pairing.pair(office.url, CODE, tmp_path / "identity.json", "0.1.0")
    assert len(seen) == 1
    assert PIN.encode() not in seen[0]


@pytest.mark.parametrize(
    "typed",
    [CODE.lower(), f"{CODE[:4]}-{CODE[4:8]} {CODE[8:12]} {CODE[12:]}", CODE.replace("0", "O").replace("1", "l")],
)
def test_spaces_case_and_misread_letters_do_not_matter(typed):
    assert split_code(typed) == ("ABCD2345", PIN)


@pytest.mark.parametrize("typed", ["", "ABCD", CODE + "A", CODE[:-1] + "U", CODE[:-1] + "*"])
def test_what_is_no_code_is_not_sent(typed):
    with pytest.raises(PairingFailed, match="sixteen"):
        split_code(typed)


def nothing_written(tmp_path):
    return not list((tmp_path / "state").glob("*")) if (tmp_path / "state").exists() else True


def test_a_wrong_token_is_said_so_and_writes_nothing(settings_file, tmp_path, capsys):
    assert pairing.main(["--config", str(settings_file), "--code", f"WRNG2345{PIN}"]) == 1
    assert "does not take this code" in capsys.readouterr().err
    assert nothing_written(tmp_path)


def test_a_code_works_once(office, settings_file, tmp_path, capsys):
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 0
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 1
    Identity.load(tmp_path / "state" / "identity.json")


@pytest.mark.parametrize("mood", ["html", "forged", "unsigned", "drop", "e500", "broken_off", "redirect"])
def test_someone_in_between_can_not_pass_for_the_office(office, settings_file, tmp_path, capsys, mood):
    office.moods.append(mood)
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 1
    assert "office" in capsys.readouterr().err
    assert nothing_written(tmp_path)


def test_another_offices_key_is_refused_by_the_pin(office, settings_file, tmp_path, capsys):
    assert pairing.main(["--config", str(settings_file), "--code", f"ABCD2345{key_pin(raw_public(STRANGER))}"]) == 1
    assert "not the office that made this code" in capsys.readouterr().err
    assert nothing_written(tmp_path)


def test_pairing_again_makes_a_new_key_and_keeps_the_journal(office, settings_file, tmp_path):
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 0
    before = Identity.load(tmp_path / "state" / "identity.json")
    with JournalReader(tmp_path / "state" / "journal.db") as reader:
        journal_id = reader.journal_id
    office.token = "ABCD2345"
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 0
    after = Identity.load(tmp_path / "state" / "identity.json")
    assert raw_public(after.key) == raw_public(office.kiosk_key) != raw_public(before.key)
    assert [roll.old_public_key for roll in after.rolls] == [public_text(before.key)]
    with JournalReader(tmp_path / "state" / "journal.db") as reader:
        assert reader.journal_id == journal_id


def test_a_journal_of_another_kiosk_is_never_taken_over(office, settings_file, tmp_path, capsys):
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 0
    office.token, office.kiosk_id = "ABCD2345", "k-2"
    assert pairing.main(["--config", str(settings_file), "--code", CODE]) == 1
    assert "journal of kiosk YG01" in capsys.readouterr().err
    assert Identity.load(tmp_path / "state" / "identity.json").kiosk_id == "k-1"


# --- the identity file ------------------------------------------------------------------------------------------


def test_an_identity_that_others_can_read_is_refused(identity, tmp_path):
    file = tmp_path / "identity.json"
    identity.save(file)
    file.chmod(0o640)
    with pytest.raises(IdentityUnusable, match="others can read"):
        Identity.load(file)


def test_no_identity_says_how_to_get_one(tmp_path):
    with pytest.raises(IdentityUnusable, match="kiosk pair"):
        Identity.load(tmp_path / "identity.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"kiosk_id": 7}'])
def test_a_damaged_identity_is_said_so(tmp_path, content):
    file = tmp_path / "identity.json"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(IdentityUnusable, match="pair this kiosk again"):
        Identity.load(file)


def test_an_identity_comes_back_as_it_was_saved(identity, tmp_path):
    identity.save(tmp_path / "identity.json")
    again = Identity.load(tmp_path / "identity.json")
    assert raw_public(again.key) == raw_public(identity.key)
    assert again.kiosk_id == "k-1"
