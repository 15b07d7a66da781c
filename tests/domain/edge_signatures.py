"""Ed25519 signatures on the edge of the rules, made here over any message: each satisfies one verifier's equation or another's.

The twelve conditions are those of Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (SSR 2020), table 5. The arithmetic
is plain affine and slow; nothing of the product is used, so that an error there is not repeated here.
"""

import functools
import hashlib
from collections.abc import Iterator

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def plus(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


@functools.cache
def times(factor: int, point: Point) -> Point:
    whole = NEUTRAL
    for bit in bin(factor)[2:]:
        whole = plus(whole, whole)
        whole = plus(whole, point) if bit == "1" else whole
    return whole


def encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decoded(raw: bytes) -> Point:
    number = int.from_bytes(raw, "little")
    y = (number & (2**255 - 1)) % P
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert v * x * x % P == u, "not on the curve"
    return ((P - x) % P if x & 1 != number >> 255 else x), y


BASE = decoded(bytes.fromhex("58" + "66" * 31))
ORDER_8 = decoded(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
SMALL = [times(number, ORDER_8) for number in range(8)]
# Spellings that a lax reader takes for small points: coordinates that are not reduced, and a sign where x is 0.
NON_CANONICAL = [
    (P + 1).to_bytes(32, "little"),
    P.to_bytes(32, "little"),
    (P + 1 | 1 << 255).to_bytes(32, "little"),
    (P | 1 << 255).to_bytes(32, "little"),
    (1 | 1 << 255).to_bytes(32, "little"),
    (P - 1 | 1 << 255).to_bytes(32, "little"),
]


def turned(h: int, torsion: Point) -> Point:
    return SMALL[SMALL.index(torsion) * h % 8]


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def _signature(r: bytes, s: int) -> bytes:
    return r + s.to_bytes(32, "little")


def edge_cases(message: bytes, secret: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, public key and signature of every case that this message admits; what depends on chance comes for some messages
    only. ``secret`` is the honest owner's scalar: the last four kinds stand under his real key."""
    honest = times(secret, BASE)
    r = 2**200 + 3  # any will do: chance comes from the message
    for torsion in SMALL[1:]:
        yield from _small_key(message, torsion, r)
        yield from _mixed_key(message, plus(honest, torsion), torsion, secret, r)
    yield from _honest_key(message, encoded(honest), secret, r)
    for raw in NON_CANONICAL:
        yield from _non_canonical_key(message, raw, r)


def _small_key(message: bytes, torsion: Point, r: int) -> Iterator[tuple[str, bytes, bytes]]:
    key = encoded(torsion)
    for small in SMALL:
        if plus(small, turned(challenge(encoded(small), key, message), torsion)) == NEUTRAL:
            yield "0: small A, small R, S = 0", key, _signature(encoded(small), 0)
        mixed = encoded(plus(times(r, BASE), small))
        if small != NEUTRAL and plus(small, turned(challenge(mixed, key, message), torsion)) == NEUTRAL:
            yield "1: small A, mixed R", key, _signature(mixed, r)


def _mixed_key(message: bytes, point: Point, torsion: Point, secret: int, r: int) -> Iterator[tuple[str, bytes, bytes]]:
    key = encoded(point)
    for small in SMALL:
        alone, mixed = encoded(small), encoded(plus(times(r, BASE), small))
        h = challenge(alone, key, message)
        if plus(small, turned(h, torsion)) == NEUTRAL:
            yield "2: mixed A, small R", key, _signature(alone, h * secret % L)
        h = challenge(mixed, key, message)
        fits = plus(small, turned(h, torsion)) == NEUTRAL
        if small == NEUTRAL:
            name = None if fits else "5: mixed A, honest R, holds only with the cofactor"
        else:
            name = "3: mixed A, mixed R" if fits else "4: mixed A, mixed R, holds only with the cofactor"
        if name:
            yield name, key, _signature(mixed, (r + h * secret) % L)


def _honest_key(message: bytes, key: bytes, secret: int, r: int) -> Iterator[tuple[str, bytes, bytes]]:
    first = encoded(times(r, BASE))
    s = (r + challenge(first, key, message) * secret) % L
    yield "6: S + L", key, _signature(first, s + L)
    yield "7: S + 8 L, beyond 255 bits", key, _signature(first, s + 8 * L)
    for raw in NON_CANONICAL:
        for name, read in (("8: R not canonical", raw), ("9: R not canonical, hashed reduced", encoded(decoded(raw)))):
            yield name, key, _signature(raw, challenge(read, key, message) * secret % L)
    yield "all zero", key, bytes(64)
    yield "R neutral, S = 0", key, _signature(encoded(NEUTRAL), 0)
    yield "S = L", key, _signature(first, L)
    yield "all ones", key, b"\xff" * 64


def _non_canonical_key(message: bytes, key: bytes, r: int) -> Iterator[tuple[str, bytes, bytes]]:
    point = decoded(key)
    for small in SMALL:
        first = encoded(plus(times(r, BASE), small))
        for name, read in (("10: A not canonical", key), ("11: A not canonical, hashed reduced", encoded(point))):
            if plus(small, turned(challenge(first, read, message), point)) == NEUTRAL:
                yield name, key, _signature(first, r)
