"""What the page "Where is my money" says of the records around a payment: whole, broken, or whole of a kiosk whose identity was copied."""

import pytest
from django.test import Client

from office.kiosks.models import Journal, RawEvent
from office.payments.models import Case
from tests.office.estate import Estate, settlement_code
from tests.office.pages.test_public_page import HUNDRED, RECEIPT, text_of


def _change_a_body(seq: int) -> None:
    row = RawEvent.objects.get(seq=seq - 2)
    RawEvent.objects.filter(id=row.id).update(body=bytes(row.body).replace(b"10000", b"20000"))


def _change_the_entry_itself(seq: int) -> None:
    row = RawEvent.objects.get(seq=seq)
    RawEvent.objects.filter(id=row.id).update(body=bytes(row.body).replace(b"30000", b"10000"))


def _drop_one(seq: int) -> None:
    Case.objects.all().delete()
    RawEvent.objects.filter(seq=seq - 3).delete()


def _cut_the_tail(seq: int) -> None:
    RawEvent.objects.filter(seq=seq + 1).delete()


def _change_the_head(seq: int) -> None:
    Journal.objects.update(head_hash=bytes(32))


@pytest.mark.parametrize(
    "damage", [_change_a_body, _change_the_entry_itself, _drop_one, _cut_the_tail, _change_the_head]
)
@pytest.mark.parametrize("state", [Journal.State.ACTIVE, Journal.State.FORKED])
def test_a_broken_chain_is_said_and_the_slip_called_evidence(browser: Client, slip: str, damage, state: str) -> None:
    Journal.objects.update(state=state)
    damage(int(slip.split("-")[0]))
    text = text_of(browser.get(f"/m/{RECEIPT}/{slip}"))
    assert "断开" in text
    assert "这笔缴费前后的记录接不上" in text
    assert "凭条上的校验码是您的证据" in text


def test_the_chain_of_a_kiosk_whose_identity_was_copied_is_whole_and_the_page_says_what_is_looked_into(
    browser: Client, slip: str
) -> None:
    Journal.objects.update(state=Journal.State.FORKED)
    text = text_of(browser.get(f"/m/{RECEIPT}/{slip}"))
    assert "已经入账" in text
    assert "记录链 完整" in text
    assert "这笔缴费前后的记录接得上。 收费处正在核查这台终端的身份，请保留凭条。" in text
    assert "断开" not in text
    english = text_of(Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/m/{RECEIPT}/{slip}"))
    assert (
        "The records around this payment fit together. The office is looking into this kiosk's identity. Keep the slip."
        in english
    )


def test_a_whole_chain_is_whole_at_every_slip_of_a_long_journal(browser: Client, estate: Estate) -> None:
    codes = []
    for _ in range(8):
        estate.pay(["sep"], [HUNDRED])
        codes.append(settlement_code(estate))
        estate.upload()
    for number, code in enumerate(codes, start=1):
        assert "完整" in text_of(browser.get(f"/m/YG01-{number:06d}/{code}")), code
