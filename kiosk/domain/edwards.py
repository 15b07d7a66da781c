"""Whether 32 bytes are a public key under which only its owner can sign: a point of the curve's large prime order.

OpenSSL takes any point. Under one of small order a single signature fits every message, and one with such a part has eight
spellings; both are refused here, before a key is ever used. With such keys kept out, the point R of a signature that holds is
of prime order as well. Source: RFC 8032 sections 5.1.2 to 5.1.4; Chalkias et al., "Taming the many EdDSAs", 2020.
"""

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, PRIME) % PRIME
_ROOT_OF_MINUS_1 = pow(2, (PRIME - 1) // 4, PRIME)

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z
_NEUTRAL: Point = (0, 1, 1, 0)


def is_of_prime_order(raw: bytes) -> bool:
    """Some 3 ms of arithmetic; the bytes must be the one canonical spelling of the point."""
    point = _point(raw)
    return point is not None and not _is_neutral(point) and _is_neutral(_times(ORDER, point))


def _point(raw: bytes) -> Point | None:
    if len(raw) != 32:
        return None
    number = int.from_bytes(raw, "little")
    y, odd = number & (2**255 - 1), number >> 255
    if y >= PRIME:
        return None
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, PRIME) % PRIME
    x = pow(x_squared, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != x_squared:
        x = x * _ROOT_OF_MINUS_1 % PRIME
    if x * x % PRIME != x_squared or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = PRIME - x
    return (x, y, 1, x * y % PRIME)


def _times(factor: int, point: Point) -> Point:
    whole = _NEUTRAL
    while factor:
        if factor & 1:
            whole = _plus(whole, point)
        point = _plus(point, point)
        factor >>= 1
    return whole


def _plus(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0])
    b = (one[1] + one[0]) * (other[1] + other[0])
    c = 2 * one[3] * other[3] * _D
    d = 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME)


def _is_neutral(point: Point) -> bool:
    return point[0] == 0 and (point[1] - point[2]) % PRIME == 0
