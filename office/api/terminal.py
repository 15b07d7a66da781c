"""The kiosk itself: pairing, settings, heartbeat, the time."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from kiosk.domain.http_signature import SignatureInvalid, public_text
from office.api.authentication import SignedByKiosk
from office.api.problems import Problem
from office.api.schemas import ConfigAnswer, HeartbeatAnswer, HeartbeatIn, PairingAnswer, PairingIn, TimeAnswer
from office.api.times import server_time, wire_time
from office.kiosks import pairing, services
from office.kiosks.key_rolls import Proof
from office.kiosks.keys import office_key
from office.kiosks.models import Kiosk
from office.property.models import Project
from office.property.services import business_date

INTERVAL_S = 60

router = Router()


@router.post("/pairings", auth=None, response={201: PairingAnswer})
def pair(request: HttpRequest, told: PairingIn) -> Status:
    """Exchange a one-time token for an identity; unsigned, since there is no key yet."""
    try:
        proof = Proof(told.previous_key, told.proof) if told.previous_key else None
        paired = pairing.pair(told.token, told.public_key, told.software, proof)
    except pairing.PairingRefused as refused:
        raise Problem("pairing_code_invalid") from refused
    except SignatureInvalid as bad:
        raise Problem("validation_failed", errors=[{"pointer": "/public_key", "code": "not_a_key"}]) from bad
    answer = {
        "kiosk_id": str(paired.kiosk.id),
        "kiosk_code": paired.kiosk.code,
        "project_code": paired.kiosk.project.code,
        "office_public_key": public_text(office_key()),
        "next_receipt_number": paired.next_receipt_number,
        "replaces": asdict(paired.replaces) if paired.replaces else None,
    }
    return Status(201, answer)


@router.get("/kiosk/config", response={200: ConfigAnswer, 304: None})
def config(request: HttpRequest, response: HttpResponse) -> Any:
    """Names, texts and limits of the estate. The ETag leaves out the time, which always differs."""
    kiosk: Kiosk = request.kiosk
    now, project = timezone.now(), kiosk.project
    told = _estate(project, kiosk)
    etag = f'"{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}"'
    if etag in request.headers.get("If-None-Match", ""):
        unchanged = HttpResponse(status=304, content_type="application/json")
        unchanged["ETag"] = etag
        return unchanged
    response["ETag"] = etag
    return {**told, "server_time": wire_time(now), "business_date": business_date(now, project.zone)}


@router.post("/kiosk/heartbeats", response=HeartbeatAnswer, auth=SignedByKiosk(also_suspended=True))
def heartbeat(request: HttpRequest, told: HeartbeatIn) -> dict[str, Any]:
    """How the kiosk is; writes nothing to disk when nothing changed."""
    kiosk: Kiosk = request.kiosk
    now = timezone.now()
    heard = services.heartbeat(kiosk, told.dict(), now)
    return {
        "server_time": wire_time(now),
        "interval_s": INTERVAL_S,
        "config_version": kiosk.project.config_version,
        "ack_seq": heard.ack_seq,
        "posted_seq": heard.posted_seq,
        "outcomes": [asdict(outcome) for outcome in heard.outcomes],
    }


@router.get("/time", response=TimeAnswer, auth=SignedByKiosk(also_suspended=True))
def tell_time(request: HttpRequest) -> dict[str, str]:
    """The office's time, signed over the request's nonce like everything else."""
    return {"server_time": server_time()}


def _estate(project: Project, kiosk: Kiosk) -> dict[str, Any]:
    return {
        "config_version": project.config_version,
        "kiosk_code": kiosk.code,
        "estate_name": project.name,
        "estate_name_en": project.name_en,
        "payee": project.payee,
        "service_phone": project.service_phone,
        "complaint": project.complaint,
        "cash_desk": {
            "place": project.cash_desk_place,
            "place_en": project.cash_desk_place_en,
            "hours": project.cash_desk_hours,
        },
        "time_zone": project.time_zone,
        "cash_limit_fen": project.cash_limit_fen,
        "notes_limit": project.notes_limit,
        "held_note_threshold_fen": project.held_note_threshold_fen,
        "public_url": settings.PUBLIC_URL,
    }
