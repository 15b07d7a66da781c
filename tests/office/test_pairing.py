"""Pairing: one code, ten minutes, five tries, once; and the same words whatever was wrong."""

import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone

from kiosk.domain.http_signature import CROCKFORD, key_pin, public_text, raw_public
from office.kiosks import ingest
from office.kiosks.keys import office_key
from office.kiosks.models import Kiosk, PairingCode
from office.kiosks.pairing import make_code, pair
from office.staff.models import AuditEntry
from tests.office.estate import Estate, build_estate
from tests.office.signed_client import SignedClient, check_signature


def ask(token: str, key: Ed25519PrivateKey | None = None, public_key: str | None = None):
    told = {
        "token": token,
        "public_key": public_key or public_text(key or Ed25519PrivateKey.generate()),
        "software": "0.1.0",
    }
    answer = Client().post("/api/v1/pairings", told, content_type="application/json")
    check_signature(answer, None)
    return answer


def test_a_code_is_sixteen_characters_and_its_second_half_names_the_offices_key(estate: Estate) -> None:
    code = make_code(estate.project).code
    assert len(code) == 16
    assert set(code) <= set(CROCKFORD)
    assert code[8:] == key_pin(raw_public(office_key()))
    assert code[:8] not in str(PairingCode.objects.values_list())


def test_a_token_gives_an_identity_that_can_speak(estate: Estate) -> None:
    key = Ed25519PrivateKey.generate()
    answer = ask(make_code(estate.project, location="3栋大堂").code[:8], key)
    told = answer.json()
    assert (answer.status_code, told["kiosk_code"], told["project_code"]) == (201, "YG02", "YG")
    assert told["next_receipt_number"] == 1
    assert told["office_public_key"] == public_text(office_key())
    assert Kiosk.objects.get(id=told["kiosk_id"]).location == "3栋大堂"
    assert SignedClient(key).call("GET", "/time").status_code == 200


def test_wrong_used_and_expired_codes_get_the_same_answer(estate: Estate) -> None:
    used = make_code(estate.project).code[:8]
    ask(used)
    expired = make_code(estate.project).code[:8]
    PairingCode.objects.filter(used_at=None).update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    texts = set()
    for token in (used, expired, "00000000", "", "x" * 40):
        answer = ask(token)
        told = answer.json()
        if answer.status_code == 403:
            texts.add((told["code"], told["title"], told["detail"]))
    assert texts == {("pairing_code_invalid", "This pairing code can't be used", "This pairing code can't be used")}
    assert Kiosk.objects.count() == 2


def test_five_wrong_tries_close_every_open_code(estate: Estate) -> None:
    code = make_code(estate.project).code[:8]
    for wrong in range(5):
        assert ask(f"WRNG{wrong:04d}").status_code == 403
    assert ask(code).json()["code"] == "pairing_code_invalid"
    assert ask(make_code(estate.project).code[:8]).status_code == 201


def test_four_wrong_tries_leave_the_code_open(estate: Estate) -> None:
    code = make_code(estate.project).code[:8]
    for wrong in range(4):
        ask(f"WRNG{wrong:04d}")
    assert ask(code).status_code == 201


@pytest.mark.parametrize(
    "public_key", ["", "AAAA", "!" * 44, "A" * 43 + "=", "////////////////////////////////////////////"]
)
def test_what_is_no_key_is_refused_and_costs_no_code(estate: Estate, public_key: str) -> None:
    code = make_code(estate.project).code[:8]
    answer = Client().post(
        "/api/v1/pairings", {"token": code, "public_key": public_key, "software": ""}, content_type="application/json"
    )
    assert answer.status_code in (201, 422)
    if answer.status_code == 422:
        assert answer.json()["errors"][0]["pointer"] == "/public_key"
        assert ask(code).status_code == 201


def test_a_kiosk_that_pairs_again_keeps_its_code_and_is_told_its_next_receipt_number(estate: Estate) -> None:
    estate.pay(["water"], [10000, 1000])
    estate.upload()
    told = ask(make_code(estate.project).code[:8], estate.key).json()
    assert (told["kiosk_id"], told["kiosk_code"], told["next_receipt_number"]) == (str(estate.kiosk.id), "YG01", 2)


def test_a_key_of_another_project_or_a_revoked_one_does_not_pair(estate: Estate) -> None:
    stranger = build_estate("LJ")
    assert ask(make_code(estate.project).code[:8], stranger.key).status_code == 422
    Kiosk.objects.filter(id=estate.kiosk.id).update(state="revoked")
    assert ask(make_code(estate.project).code[:8], estate.key).status_code == 422


def test_a_receipt_number_that_waits_to_be_folded_is_not_given_out_again(estate: Estate) -> None:
    estate.pay(["water"], [10000, 1000])
    ingest.store(estate.kiosk, estate.writer.journal_id, estate.writer.batch())
    assert ask(make_code(estate.project).code[:8], estate.key).json()["next_receipt_number"] == 2


def test_a_new_kiosk_gets_a_code_that_no_replayed_kiosk_has(estate: Estate) -> None:
    Kiosk.objects.create(project=estate.project, code="YG03", key_id="0" * 64, paired_at=timezone.now())
    codes = [ask(make_code(estate.project).code[:8]).json()["kiosk_code"] for _ in range(2)]
    assert codes == ["YG04", "YG05"]


def test_the_code_and_the_pairing_stand_in_the_audit_log(estate: Estate) -> None:
    code = make_code(estate.project).code
    kiosk = pair(code[:8], public_text(Ed25519PrivateKey.generate()), "0.1.0").kiosk
    told = list(AuditEntry.objects.order_by("at").values_list("verb", "object_id"))
    assert [verb for verb, _ in told] == ["kiosk.pairing_code", "kiosk.paired"]
    assert told[-1][1] == str(kiosk.id)
