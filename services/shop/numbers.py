"""Numbers of orders: short, and the same for the same id."""

import hashlib
from uuid import UUID

# Without vowels, and without what is easily misread: a number is said aloud and typed from paper.
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
_LENGTH = 6


def number_of(order_id: UUID, attempt: int) -> str:
    """Another one for each attempt, since a number may be taken."""
    value = int.from_bytes(hashlib.sha256(order_id.bytes + attempt.to_bytes(4)).digest()[:8])
    digits = []
    for _ in range(_LENGTH):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
