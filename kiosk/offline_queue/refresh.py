"""Keeps the cache as new as the office: the estate's texts, the buildings, and the units whose bills changed.

Nothing here holds up the journal: a refusal is noted, and the next refresh tries again. Source: decisions 16.
"""

import logging
from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.domain.estate import Estate
from kiosk.domain.money import NOTE_FACES
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.events import EstateRefused, EstateTold
from kiosk.offline_queue.cache import Cache

log = logging.getLogger(__name__)

MOST_CASH_FEN = 10_000_000  # a visit: nobody means more
MOST_NOTES = 1_000

Buildings = tuple[tuple[str, tuple[str, ...]], ...]


class Refresh:
    """Belongs to the sync thread. ``leaving`` says that the program is to end."""

    def __init__(
        self,
        client: OfficeClient,
        cache: Cache,
        clock: Clock,
        report: Callable[[EstateTold | EstateRefused], None],
        *,
        every_s: float,
        leaving: Callable[[], bool],
    ) -> None:
        self._client, self._cache, self._clock, self._report = client, cache, clock, report
        self._every_s, self._leaving = every_s, leaving
        self._wanted = True
        self._due_at = clock.monotonic()
        self._told: tuple[Estate, Buildings] | None = None
        self._refused: EstateRefused | None = None

    def tell_cached_estate(self) -> None:
        """Say what the office said last time, so that the kiosk has a name before it has a network."""
        kept = self._cache.estate()
        if kept:  # the office's first answer is told again, the same or not: it is news that it holds
            self._report(EstateTold(estate=kept[0], buildings=kept[2]))

    def want(self) -> None:
        """Something may have changed: refresh at the next occasion."""
        self._wanted = True

    def version_is(self, version: int) -> None:
        """The office says which version of its configuration holds."""
        kept = self._cache.estate()
        known = {kept[0].config_version if kept else None, self._refused.config_version if self._refused else None}
        if version and version not in known:
            self._wanted = True

    def due_in_s(self) -> float:
        return max(0.0, self._due_at - self._clock.monotonic())

    def if_due(self, *, whole: bool = False) -> None:
        """Fetch what is due or wanted. ``whole``: it must all succeed, because that is to prove that the kiosk is welcome again.

        Raises:
            Unreachable: the office stopped answering in the middle of it.
            Refused: it asks to be left alone for a while, and whoever else would call it must wait as well; or it will not have
                this kiosk: a suspended one's journal is still taken, so that nothing else would say so. With ``whole``, any.
        """
        if not self._wanted and self.due_in_s() > 0:
            return
        try:
            self._fetch_estate()
            self._fetch_units()
            self._wanted = False
        except Refused as refused:  # journal and money go on without these
            if whole or refused.retry_after_s is not None or refused.status in (401, 403):
                raise
            log.warning("sync.not_refreshed code=%s detail=%s", refused.code, refused.detail)
        self._due_at = self._clock.monotonic() + self._every_s

    def _fetch_estate(self) -> None:
        kept = self._cache.estate()
        told = self._client.config(kept[1] if kept else None)
        buildings = self._client.buildings()
        if told and (why := unfit(told[0], self._client.kiosk_code)):
            self._refuse(EstateRefused(config_version=told[0].config_version, why=why))
            told = None
        if told:
            estate, etag = told
            self._refused = None
        elif kept:
            estate, etag, _ = kept
        else:
            return
        if kept is None or (estate, etag, buildings) != kept:
            self._cache.take_estate(estate, etag, buildings)
        if self._told != (estate, buildings):
            self._told = (estate, buildings)
            self._report(EstateTold(estate=estate, buildings=buildings))

    def _refuse(self, refused: EstateRefused) -> None:
        """Said once; a version that was told to be refused is not asked for with every answer."""
        if self._refused != refused:
            self._refused = refused
            self._report(refused)

    def _fetch_units(self) -> None:
        since = self._cache.cursor()
        while not self._leaving():
            try:
                page = self._client.changed_units(since)
            except Refused as refused:
                if since and refused.status in (400, 404, 410, 422):  # a cursor this office does not know
                    self._cache.forget_units()
                    since = ""
                    continue
                raise
            try:
                self._cache.take(page)
            except ValueError as error:
                raise Unreachable(f"the office's units are not understood: {error}") from error
            if page.next_cursor is None or page.next_cursor == since:
                return
            since = page.next_cursor


def unfit(estate: Estate, kiosk_code: str) -> str:
    """Why a kiosk can't work with what the office told; empty when it can."""
    if estate.kiosk_code not in ("", kiosk_code):
        return f"it is for kiosk {estate.kiosk_code}"
    if not estate.has_known_zone():
        return f"time_zone {estate.time_zone!r} is unknown"
    if not min(NOTE_FACES) <= estate.cash_limit_fen <= MOST_CASH_FEN:
        return f"cash_limit_fen {estate.cash_limit_fen} lets no note in, or any number"
    if not 1 <= estate.notes_limit <= MOST_NOTES:
        return f"notes_limit {estate.notes_limit} is not 1 to {MOST_NOTES}"
    if estate.held_note_threshold_fen < 0:
        return f"held_note_threshold_fen {estate.held_note_threshold_fen} is below zero"
    if estate.public_url and not estate.public_url.startswith(("http://", "https://")):
        return f"public_url {estate.public_url!r} is no address"
    return ""
