"""Idempotency: the same POST twice has one effect and one answer, which is stored with the effect."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from bot.api.problems import Problem
from services.ids import new_id
from services.store.hot import Hot, Named
from services.store.schema import api_answers
from services.work import Work

_KEPT = timedelta(days=35)
MOST_SIGNS = 255
_COLUMN = "api_answers.answer"


@dataclass(frozen=True)
class Once:
    """What is to happen once: by whom, on which route, under which key, with which body. `bytes_hash`: of the
    body as it was sent, which the release before kept."""

    tenant: UUID
    person: UUID
    route: str
    key: str
    body_hash: bytes
    bytes_hash: bytes

    @property
    def lock(self) -> int:
        """For PostgreSQL's advisory locks."""
        name = f"{self.tenant}|{self.person}|{self.route}|{self.key}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def key_of(header: str, *more: str) -> str:
    """As it is sent, bare or in quotes, once. Raises Problem."""
    quoted = len(header) > 1 and header[0] == header[-1] == '"'
    key = header[1:-1] if quoted else header
    if more or not key or len(key) > MOST_SIGNS or not all("!" <= sign <= "~" for sign in key):
        raise Problem(
            400,
            "invalid_idempotency_key",
            "Invalid Idempotency-Key",
            detail=f"Idempotency-Key is 1 to {MOST_SIGNS} visible ASCII characters.",
        )
    return key


def still_running() -> Problem:
    return Problem(
        409,
        "idempotency_key_in_use",
        "The first request is still running",
        headers={"Retry-After": "1"},
    )


_answer = api_answers.c
_OF_TENANT = _answer.tenant_id == sa.bindparam("tenant")
_LOCK = Hot(sa.select(sa.func.pg_try_advisory_xact_lock(sa.bindparam("name", type_=sa.BigInteger))))
_FORGET = Hot(sa.delete(api_answers).where(_OF_TENANT, _answer.created_at <= sa.bindparam("until")))
_KEPT_ANSWER = Named(
    sa.select(_answer.id, _answer.body_hash, _answer.status, _answer.answer_sealed).where(
        _OF_TENANT,
        _answer.person_id == sa.bindparam("person"),
        _answer.route == sa.bindparam("route"),
        _answer.key == sa.bindparam("key"),
    )
)
_KEEP = Hot(sa.insert(api_answers).values({column.name: sa.bindparam(column.name) for column in _answer}))


async def begin(work: Work, once: Once) -> tuple[int, bytes] | None:
    """The status and the bytes that were answered before; None where this is the first.

    Raises Problem where the first still runs, in whatever process, or had another body.
    """
    if work.connection.dialect.name == "postgresql":
        ((alone,),) = await _LOCK(work.connection, name=once.lock)
        if not alone:
            raise still_running()
    await _FORGET(work.connection, tenant=work.tenant, until=work.now - _KEPT)
    named = {"tenant": once.tenant, "person": once.person, "route": once.route, "key": once.key}
    rows = await _KEPT_ANSWER(work.connection, **named)
    if not rows:
        return None
    (row,) = rows
    if row.body_hash not in (once.body_hash, once.bytes_hash):
        title = "This Idempotency-Key was used with another body"
        raise Problem(422, "idempotency_key_reused", title)
    return row.status, work.vault.open(row.answer_sealed, work.tenant, _COLUMN, str(row.id))


async def keep(work: Work, once: Once, status: int, answer: bytes) -> None:
    """In the transaction of the effect."""
    row = new_id()
    await _KEEP(
        work.connection,
        tenant_id=once.tenant,
        person_id=once.person,
        route=once.route,
        key=once.key,
        id=row,
        body_hash=once.body_hash,
        status=status,
        answer_sealed=work.vault.seal(answer, work.tenant, _COLUMN, str(row)),
        created_at=work.now,
    )
