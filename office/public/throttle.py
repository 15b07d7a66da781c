"""How often the public page may be asked: per client address and by everybody together, counted in Django's cache.

A check code has 32 bits and belongs to one entry, so guessing is hopeless long before these limits; they also keep a flood
of questions away from the database that kiosks upload into. Wrong answers are counted apart and more strictly. With several
server processes the cache must be a shared one (settings CACHES).
"""

import ipaddress
import math

from django.core.cache import cache

PERIOD_S = 600
CLIENT_QUESTIONS, CLIENT_WRONG = 60, 12  # phones of a whole building may share one address
ALL_QUESTIONS, ALL_WRONG = 3000, 600


def client_of(address: str) -> str:
    """Who counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which one subscriber owns."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False).network_address
    return str(known)


def must_wait_s(client: str, now: float) -> int:
    """Count one question; the seconds to wait when it may not be answered, else 0."""
    # Everybody's count comes first: above it no entry is made for yet another address.
    spent = (
        _count("all", now) > ALL_QUESTIONS
        or _counted("wrong", now) >= ALL_WRONG
        or _counted(f"wrong:{client}", now) >= CLIENT_WRONG
        or _count(f"all:{client}", now) > CLIENT_QUESTIONS
    )
    return math.ceil(PERIOD_S - now % PERIOD_S) if spent else 0


def count_wrong(client: str, now: float) -> None:
    """Count an answer that nothing was found."""
    _count("wrong", now)
    _count(f"wrong:{client}", now)


def _key(what: str, now: float) -> str:
    return f"public:{what}:{int(now // PERIOD_S)}"


def _counted(what: str, now: float) -> int:
    return int(cache.get(_key(what, now), 0))


def _count(what: str, now: float) -> int:
    key = _key(what, now)
    if cache.add(key, 1, PERIOD_S):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two calls
        return 1
