"""Hooks: addresses for the callbacks of one attempt or payout. The token in the address is its only
credential, so it is unguessable, used for nothing else, and stored as a hash alone.

A provider that is told once where to call has a lasting one of each tenant's: its token is derived from our
keys, so that it can be told again without being kept. Where it also wants to ask before it takes a payment,
that has an address of its own: both say the same, and only one of them means that money has moved.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.providers.base import Report
from services.store.schema import attempts, hooks, payouts, refund_attempts
from services.work import Work

_TOKEN_BYTES = 32
_REFUND, _PAYMENT, _LASTING, _ASKED = "refund:", "payment:", "ipn:", "/asked"
_BY_HAND = "by_hand:"
RETURN, PAGE = "return", "page"  # of people, and not of providers
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True)
class Hook:
    """`about`: "collect", "payout", "payout_timeout", "query", "query_timeout", "float" or "float_timeout";
    the target is the attempt of the first, else the payout. What is `of_refund` has a refund's attempt, also
    a float that is asked for it; "taken_back" and "disputed" come signed, and have the attempt of a payment.
    "ipn:PROVIDER" is a lasting address, whose target is the tenant: what it is told says itself what it is
    about: "by_hand:PROVIDER" is a payment that nobody asked for."""

    tenant_id: UUID
    about: str
    target_id: UUID

    @property
    def read_as(self) -> str:
        """As which kind of callback the provider reads it."""
        if self.is_lasting:
            return "asked" if self.about.endswith(_ASKED) else "ipn"
        return self.about.removeprefix(_REFUND).removeprefix(_PAYMENT)

    @property
    def is_of_refund(self) -> bool:
        return self.about.startswith(_REFUND)

    @property
    def is_of_payment(self) -> bool:
        return self.about.startswith(_PAYMENT)

    @property
    def by_hand(self) -> str | None:
        """Whose word it is that somebody has paid whom nobody asked; None of all else."""
        return self.about.removeprefix(_BY_HAND) if self.about.startswith(_BY_HAND) else None

    @property
    def is_lasting(self) -> bool:
        return self.about.startswith(_LASTING)


def of_refund(about: str) -> str:
    """A callback about a refund; `about` as in `Report`."""
    return _REFUND + about


def of_payment(about: str) -> str:
    """A callback about whether a payment stands; its target is the payment's attempt."""
    return _PAYMENT + about


async def mint(work: Work, about: str, target_id: UUID) -> str:
    """A new token of 64 hex digits; the address is "/hooks/{token}"."""
    token = secrets.token_hex(_TOKEN_BYTES)
    await work.connection.execute(
        sa.insert(hooks).values(
            token_hash=_hash(token),
            tenant_id=work.tenant,
            about=about,
            target_id=target_id,
            created_at=work.now,
        )
    )
    return token


async def address(work: Work, public_url: str, about: str, target_id: UUID) -> str:
    """A new callback address. It names no provider and holds no word that Daraja refuses."""
    return f"{public_url.rstrip('/')}/hooks/{await mint(work, about, target_id)}"


async def lasting(work: Work, public_url: str, provider: str, *, asked: bool = False) -> str:
    """The tenant's address for all that this provider tells, or (`asked`) for what it asks before it takes a
    payment. It stays the same until our first key changes; the one before goes on to be known."""
    about = _LASTING + provider + (_ASKED if asked else "")
    key = work.vault.derived("lasting hooks")[0]
    token = hmac.digest(key, work.tenant.bytes + about.encode(), "sha256").hex()
    row = {
        "token_hash": _hash(token),
        "tenant_id": work.tenant,
        "about": about,
        "target_id": work.tenant,
        "created_at": work.now,
    }
    await work.connection.execute(work.insert(hooks).values(row).on_conflict_do_nothing())
    return f"{public_url.rstrip('/')}/hooks/{token}"


def provider_of_lasting(about: str) -> str | None:
    """Whose the address is; None for one of an attempt or a payout."""
    return about.removeprefix(_LASTING).removesuffix(_ASKED) if about.startswith(_LASTING) else None


async def resolve(connection: AsyncConnection, token: str) -> Hook | None:
    """What the address is for, by its token; None where there is none."""
    return await by_hash(connection, _hash(token))


async def by_hash(connection: AsyncConnection, token_hash: bytes) -> Hook | None:
    """The same, by what is stored of the token."""
    row = (await connection.execute(sa.select(hooks).where(hooks.c.token_hash == token_hash))).first()
    return Hook(row.tenant_id, row.about, row.target_id) if row else None


async def provider_of(connection: AsyncConnection, hook: Hook) -> str | None:
    """Who calls this address: the provider of its target."""
    if (lasting := provider_of_lasting(hook.about)) is not None:
        return lasting
    table = payouts
    if hook.about == "collect" or hook.is_of_payment:
        table = attempts
    elif hook.is_of_refund:
        table = refund_attempts
    mine = (table.c.tenant_id == hook.tenant_id, table.c.id == hook.target_id)
    found: str | None = await connection.scalar(sa.select(table.c.provider).where(*mine))
    return found


async def named(work: Work, provider: str, report: Report) -> Hook | None:
    """What a callback to one address for all is about (it is signed, or the address lasts): it names what it
    tells of by our reference or theirs. None where it tells of nothing that is ours."""
    if report.about in ("collect", "taken_back", "disputed"):
        return await _named_payment(work, provider, report)
    if report.about == "by_hand":
        return Hook(work.tenant, _BY_HAND + provider, work.tenant)
    tables = {"payout": payouts, "refund": refund_attempts}
    if report.about not in tables:
        return None
    ids = [UUID(name) for name in report.references if _ID.fullmatch(name)]
    rows = tables[report.about].c
    query = sa.select(rows.id).where(
        rows.tenant_id == work.tenant,
        rows.provider == provider,
        sa.or_(rows.id.in_(ids), rows.reference.in_(report.references)),
    )
    found = (await work.connection.execute(query.limit(2))).scalars().all()
    about = of_refund("refund") if report.about == "refund" else report.about
    return Hook(work.tenant, about, found[0]) if len(found) == 1 else None


async def _named_payment(work: Work, provider: str, report: Report) -> Hook | None:
    ids = [UUID(name) for name in report.references if _ID.fullmatch(name)]
    query = sa.select(attempts.c.id).where(
        attempts.c.tenant_id == work.tenant,
        attempts.c.provider == provider,
        sa.or_(attempts.c.id.in_(ids), attempts.c.receipt.in_(report.references)),
    )
    found = (await work.connection.execute(query.limit(2))).scalars().all()
    return Hook(work.tenant, report.about, found[0]) if len(found) == 1 else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
