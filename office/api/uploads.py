"""POST /kiosks/{kiosk_id}/journals/{journal_id}/events: the one way in which a kiosk tells of money."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router

from kiosk.domain.chain import Header
from office.api.authentication import SignedByKiosk
from office.api.problems import Problem
from office.api.schemas import EventIn, UploadAnswer, UploadIn
from office.api.times import server_time
from office.kiosks import ingest, services
from office.kiosks.models import Kiosk

router = Router()


@router.post(
    "/kiosks/{kiosk_id}/journals/{journal_id}/events", response=UploadAnswer, auth=SignedByKiosk(also_suspended=True)
)
def upload(request: HttpRequest, kiosk_id: str, journal_id: str, told: UploadIn) -> dict[str, Any]:
    """Store events durably and in order, then fold them; 200 also when all of them were held before."""
    kiosk: Kiosk = request.kiosk
    if kiosk_id != str(kiosk.id) or not journal_id.isascii() or not 8 <= len(journal_id) <= 64:
        raise Problem("not_found")
    if len(told.events) > ingest.MAX_EVENTS:
        raise Problem("too_large", f"at most {ingest.MAX_EVENTS} events at a time")
    try:
        taken = services.take(kiosk, journal_id, _batch(told), request.nonce, told_seq=told.posted_seq)
    except ingest.Fork as fork:
        raise Problem("fork", seq=fork.seq, stored_hash=fork.stored_hash.hex()) from fork
    except ingest.Gap as gap:
        code = "ahead" if isinstance(gap, ingest.Ahead) else "gap"
        raise Problem(code, expected_seq=gap.expected_seq) from gap
    except ingest.NotExpected as unexpected:
        raise Problem("journal_not_expected") from unexpected
    except ingest.BadBatch as bad:
        raise Problem("validation_failed", errors=[{"pointer": bad.pointer, "code": bad.code}]) from bad
    except ingest.Replayed as replayed:
        raise Problem("signature_invalid", "nonce: used before", retry="later", server_time=server_time()) from replayed
    except ingest.NotYours as foreign:
        raise Problem("not_found") from foreign
    return {
        "ack_seq": taken.ack_seq,
        "ack_hash": taken.ack_hash.hex(),
        "posted_seq": taken.posted_seq,
        "outcomes": [asdict(outcome) for outcome in taken.outcomes],
        "rejected": [{"seq": seq, "code": code} for seq, code in taken.rejected],
        "server_time": server_time(),
        "config_version": taken.config_version,
        "hold_ms": 0,
    }


def _batch(told: UploadIn) -> ingest.Batch:
    return ingest.Batch(
        first_seq=told.first_seq,
        last_seq=told.last_seq,
        prev_hash=bytes.fromhex(told.prev_hash),
        events=[_event(event) for event in told.events],
        sent=ingest.Sent(told.sent.boot_id, told.sent.mono_ms, told.sent.wall_ms),
    )


def _event(told: EventIn) -> ingest.SentEvent:
    header = Header(
        payment_id=told.payment_id,
        kind=told.kind,
        v=told.v,
        boot_id=told.boot_id,
        mono_ms=told.mono_ms,
        wall_ms=told.wall_ms,
        clock=told.clock,
    )
    return ingest.SentEvent(told.seq, header, told.body.encode(), bytes.fromhex(told.hash))
