"""A kiosk's key changes hands at no moment at which the kiosk could be left with a key that the office does not know."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain.http_signature import key_id, public_text, raw_public
from kiosk.office_client.identity import roll
from office.kiosks import key_rolls
from office.kiosks.models import Kiosk
from office.kiosks.pairing import make_code, pair
from tests.office.estate import Estate
from tests.office.signed_client import SignedClient


def pair_again(estate: Estate, old: Ed25519PrivateKey, *, renews: Kiosk | None = None) -> Ed25519PrivateKey:
    """The kiosk that holds the old key pairs; the new one."""
    new = Ed25519PrivateKey.generate()
    rolled = roll(old, new)
    proof = key_rolls.Proof(rolled.old_public_key, rolled.old_signature)
    assert pair(make_code(estate.project, renews=renews).code[:8], public_text(new), "0.1", proof).kiosk == estate.kiosk
    return new


def is_let_in(key: Ed25519PrivateKey) -> bool:
    return SignedClient(key).call("GET", "/time").status_code == 200


def test_a_promised_key_still_lets_the_kiosk_in_when_the_answer_to_its_next_pairing_was_lost(estate: Estate) -> None:
    first = pair_again(estate, estate.key)
    pair_again(estate, first)
    assert is_let_in(first), "it is the one on the kiosk's disk"


def test_so_it_does_when_the_next_code_was_made_for_this_kiosk(estate: Estate) -> None:
    first = pair_again(estate, estate.key)
    pair_again(estate, first, renews=estate.kiosk)
    assert is_let_in(first)


def test_after_a_lost_answer_an_ordinary_code_makes_no_second_kiosk_of_it(estate: Estate) -> None:
    first = pair_again(estate, estate.key)
    pair_again(estate, first)
    assert is_let_in(pair_again(estate, first))
    assert Kiosk.objects.count() == 1


def test_a_key_whose_pairing_was_never_written_down_is_forgotten_with_the_next(estate: Estate) -> None:
    lost = pair_again(estate, estate.key)
    new = pair_again(estate, estate.key)
    assert (is_let_in(estate.key), is_let_in(lost), is_let_in(new)) == (True, False, True)
    assert not is_let_in(estate.key), "ended by the new one's first use"


def test_a_request_by_the_promised_key_takes_no_later_promise_back(estate: Estate) -> None:
    """It was read before the next pairing was answered, and goes on afterwards."""
    first = pair_again(estate, estate.key)
    reading, _ = key_rolls.owner(key_id(raw_public(first))) or (None, "")
    assert reading
    second = pair_again(estate, first)
    key_rolls.used(reading, key_id(raw_public(first)))
    assert is_let_in(first)
    assert is_let_in(second)
