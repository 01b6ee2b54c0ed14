"""The chain of the ledger: each transfer is bound to the last one of both its accounts, so that none can be
changed, removed, put in or moved without breaking what follows in one of them.

    hash   = SHA-256(the hash before of the source + that of the target + the transfer's number in the source
             as 8 bytes + its number in the target as 8 bytes + digest)
    digest = SHA-256(the format's name + the 16 bytes each of tenant, source, target, id and cause + the
             amount and the time in microseconds as 8 bytes each + currency, channel, via, reason), each of
             the latter led by its length in 4 bytes; what is not there is four bytes of 255

An account's hash is that of its last transfer; before the first it is 32 zeros. On PostgreSQL the statement
that writes the transfer makes it, since only under the locks the hashes before are known. The format never
changes for what is there; another one gets another name.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from services.store.schema import Moment

START = bytes(32)
_FORMAT = b"lipachat ledger 1"
_NOTHING = b"\xff\xff\xff\xff"


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
    parts = [head, transfer.bytes, cause.bytes, numbers]
    for text in (currency, channel, via, reason):
        if text is None:
            parts.append(_NOTHING)
        else:
            body = text.encode()
            parts += (len(body).to_bytes(4), body)
    return hashlib.sha256(b"".join(parts)).digest()


def hash_of(source: bytes, target: bytes, source_entry: int, target_entry: int, digest: bytes) -> bytes:
    """`source` and `target`: the hashes of both before."""
    numbers = source_entry.to_bytes(8, signed=True) + target_entry.to_bytes(8, signed=True)
    return hashlib.sha256(source + target + numbers + digest).digest()
