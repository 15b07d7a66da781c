"""Tells a change number from the same number of a history that a restore from a backup undid.

A restored office gives numbers again that kiosks already had. Each process that gives numbers begins an era with its first, and the
eras stand in the stream's row: a number that kiosks know by another era was never given here. No process outlives a restore, but for
one whose database was exchanged under it; that one sees its own numbers go back and begins another era.
"""

import secrets
import uuid

from office.ledger.models import Stream

KEPT = 50  # a cursor from before the oldest costs its kiosk one whole fetch

_ours: dict[uuid.UUID, tuple[str, int]] = {}  # by project: the era of this process, and its latest number


def next_change(stream: Stream) -> int:
    """The number of one more change, of a locked stream. The caller saves the stream."""
    era, latest = _ours.get(stream.project_id, ("", 0))
    if not era or stream.change_no < latest:
        era = secrets.token_hex(4)
    if not stream.eras or stream.eras[-1][1] != era:
        stream.eras = [*stream.eras, [stream.change_no, era]][-KEPT:]
    stream.change_no += 1
    _ours[stream.project_id] = era, stream.change_no
    return stream.change_no


def era_of(stream: Stream, change_no: int) -> str | None:
    """The era of a change; empty for one from before there were eras, None for one that was not made yet."""
    if change_no > stream.change_no:
        return None
    return next((era for after_no, era in reversed(stream.eras) if after_no < change_no), "")
