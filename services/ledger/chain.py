"""The chain of the ledger: each transfer is bound to the last one of both its accounts, so that none can be
changed, removed, put in or moved without breaking what follows in one of them.

    hash   = SHA-256(the hash before of the source + that of the target + digest)
    digest = SHA-256(the format's name + the 16 bytes each of tenant, source, target, id and cause + the
             amount and the time in microseconds as 8 bytes each + currency, channel, via, reason), each of
             the latter led by its length in 4 bytes; what is not there is four bytes of 255

An account's hash is that of its last transfer; before the first it is 32 zeros. On PostgreSQL the statement
that writes the transfer makes it, since only under the locks the hashes before are known. A transfer's
numbers are its place in the chain, and need not be hashed. The format never changes for what is there;
another one gets another name.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from services.store.schema import Moment

START = bytes(32)
_FORMAT = b"lipachat ledger 1"


def head_of(tenant: UUID, source: UUID, target: UUID) -> bytes:
    """With what the digests begin of all transfers of a tenant from one account to the other."""
    return _FORMAT + tenant.bytes + source.bytes + target.bytes


def digest_of(
    head: bytes,
    transfer: UUID,
    amount: int,
    currency: str,
    cause: UUID,
    at: datetime,
    channel: str | None,
    via: str | None,
    reason: str,
) -> bytes:
    """Of all that is known before the accounts are locked."""
    numbers = amount.to_bytes(8) + Moment.microseconds(at).to_bytes(8, signed=True)
    texts = (_led(currency), _led(channel), _led(via), _led(reason))
    return hashlib.sha256(b"".join((head, transfer.bytes, cause.bytes, numbers, *texts))).digest()


@lru_cache(maxsize=1024)  # nearly always of a few
def _led(text: str | None) -> bytes:
    if text is None:
        return b"\xff\xff\xff\xff"
    body = text.encode()
    return len(body).to_bytes(4) + body


def hash_of(source: bytes, target: bytes, digest: bytes) -> bytes:
    """`source` and `target`: the hashes of both before."""
    return hashlib.sha256(source + target + digest).digest()
