"""Ledger: double entry with holds. Money only moves.

A transfer takes from one account and gives to another, is never changed, and is unique by its cause
and reason, so that the same again moves nothing. Accounts keep `posted` and `held` apart; of a limited
account never more than `posted - held` may leave. Rows are locked first, in the order of their ids;
what is refused is refused before anything is written. Each account counts its entries, and a transfer
bears its number in both accounts: what was added since a number is known exactly, whoever commits first.

What a provider takes back is taken whether the wallet covers it or not: the rest is owed, and whatever
becomes available in the wallet later pays it first, in the transaction that makes it available.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.errors import InsufficientBalance
from services.errors.refunds import MoneyOwed
from services.facts import Balance
from services.ids import new_id
from services.ledger import posting, rows
from services.ledger.posting import Cause, Entry
from services.ledger.rows import Account, Change, locked
from services.ledger.rows import account_id as account_id
from services.money import Money
from services.points import point
from services.store.hot import Hot, among
from services.store.schema import accounts, holds, transfers
from services.work import Work

WALLET = "wallet"
PAYMENT_FEES = "fees:payments"
WITHDRAWAL_FEES = "fees:withdrawals"
SUSPENSE = "suspense"
OWED = "owed"  # below zero by what a provider took back beyond the wallet: the tenant owes it


def provider_account(provider: str) -> str:
    """What the provider holds for the tenant, seen from its other side: a sale lowers it."""
    return f"provider:{provider}"


def costs_account(provider: str) -> str:
    """Below zero by what the provider has charged, which it took out of what it holds."""
    return f"costs:{provider}"


@dataclass(frozen=True)
class Transfer:
    """From one account to another, by name."""

    source: str
    target: str
    amount: Money
    reason: str


async def post(work: Work, cause_id: UUID, moves: Sequence[Transfer]) -> bool:
    """Post the transfers of one cause, all in one currency; False when they stood there before.

    Raises InsufficientBalance, having written nothing.
    """
    return await _post(work, cause_id, moves, freed=0)


async def hold(work: Work, hold_id: UUID, amount: Money) -> bool:
    """Keep an amount of the wallet apart; False when this hold stood there before.

    Raises InsufficientBalance, having written nothing.
    """
    wallet = (await locked(work, [WALLET], amount.currency))[WALLET]
    before = sa.select(holds.c.id).where(holds.c.tenant_id == work.tenant, holds.c.id == hold_id)
    if (await work.connection.execute(before)).first() is not None:
        return False
    _refuse_shortage(wallet, amount.minor, amount.currency)
    await work.connection.execute(
        sa.insert(holds).values(
            tenant_id=work.tenant,
            id=hold_id,
            account_id=wallet.id,
            amount=amount.minor,
            state="open",
            created_at=work.now,
        )
    )
    await rows.hold(work, wallet, amount.minor)
    point("ledger.held")
    return True


async def post_hold(work: Work, hold_id: UUID, moves: Sequence[Transfer]) -> bool:
    """The held amount leaves the wallet by these transfers, with which others of the same cause may go; False
    when the hold was resolved before."""
    amount = await _resolve(work, hold_id, "posted")
    if amount is None:
        return False
    if sum(move.amount.minor for move in moves if move.source == WALLET) != amount:
        raise ValueError(f"hold {hold_id} is of {amount}")
    return await _post(work, hold_id, moves, freed=amount)


async def release(work: Work, hold_id: UUID, state: str, currency: str) -> bool:
    """The hold ends as "voided" or "expired"; False when it was resolved before."""
    amount = await _resolve(work, hold_id, state)
    if amount is None:
        return False
    there = await locked(work, [WALLET, OWED], currency)
    await rows.hold(work, there[WALLET], -amount)
    await _net(work, hold_id, there | {WALLET: there[WALLET].after(Change(held=-amount))}, currency)
    point("ledger.released")
    return True


async def take_back(
    work: Work, cause_id: UUID, provider: str, amount: Money, reason: str = "reversal"
) -> Money | None:
    """The provider took this out of what it holds: from what is available in the wallet, the rest is owed.
    Returns the rest; None when it stood there before."""
    names = [WALLET, OWED, provider_account(provider)]
    there = await locked(work, names, amount.currency)
    covered = min(amount.minor, there[WALLET].available)
    rest = Money(amount.minor - covered, amount.currency)
    moves = []
    if covered:
        taken = Money(covered, amount.currency)
        moves.append(Transfer(WALLET, provider_account(provider), taken, reason))
    if rest:
        moves.append(Transfer(OWED, provider_account(provider), rest, f"{reason}_owed"))
    if await _stands(work, cause_id) or not await _post(work, cause_id, moves, freed=0):
        return None
    return rest


_STANDS = Hot(
    sa.select(accounts.c.name, accounts.c.posted, accounts.c.held).where(
        accounts.c.tenant_id == sa.bindparam("tenant"), among(accounts.c.id, "ids")
    )
)


async def balance(work: Work, currency: str) -> Balance:
    """The wallet's, and what is owed beside it; without a lock."""
    ids = [account_id(work.tenant, name, currency) for name in (WALLET, OWED)]
    stands = {name: sums for name, *sums in await _STANDS(work.connection, tenant=work.tenant, ids=ids)}
    (posted, held), (owes, _) = (stands.get(name, (0, 0)) for name in (WALLET, OWED))
    return Balance(
        posted=Money(posted, currency),
        held=Money(held, currency),
        available=Money(posted - held, currency),
        owed=Money(-owes, currency),
        at=work.now,
    )


async def refuse_owing(work: Work, currency: str) -> None:
    """Raises MoneyOwed while the tenant owes what was taken back."""
    owed = (await balance(work, currency)).owed
    if owed:
        raise MoneyOwed(owed)


async def lock_wallet(work: Work, currency: str) -> None:
    """Until the transaction ends nobody else moves the wallet: sums read now still hold at its end."""
    await locked(work, [WALLET], currency)


async def lock(work: Work, names: Iterable[str], currency: str) -> None:
    """All that a transaction is going to move by several postings, at once and in the one order of all: who
    locked them one after another could meet somebody who does it the other way round."""
    await locked(work, names, currency)


async def _post(work: Work, cause_id: UUID, moves: Sequence[Transfer], freed: int) -> bool:
    """`freed` of the wallet is held no more."""
    currency = moves[0].amount.currency
    changes = {name: Change() for move in moves for name in (move.source, move.target)}
    for move in moves:
        changes[move.source].posted -= move.amount.minor
        changes[move.target].posted += move.amount.minor
    if freed:
        changes[WALLET].held -= freed
    ids = sorted(new_id() for _ in moves)  # they keep the order: a sale stands before its fee
    entries = [
        Entry(id_, move.source, move.target, move.amount.minor, move.reason)
        for id_, move in zip(ids, moves, strict=True)
    ]
    earns = WALLET in changes and changes[WALLET].posted > 0
    names = list(dict.fromkeys((*changes, OWED)) if earns else changes)
    cause = Cause(currency, cause_id, work.now, work.via.channel, work.via.name)
    there, written = await posting.post(work, names, cause, entries, changes)
    if written not in (0, len(entries)):
        raise ValueError(f"{cause_id} posted a part of this before")
    if not written:
        await _refuse_unbearable(work, cause_id, there, changes, currency)
        return False
    if earns:
        await _net(work, cause_id, there | {WALLET: there[WALLET].after(changes[WALLET])}, currency)
    point("ledger.posted")
    return True


async def _net(work: Work, cause_id: UUID, there: Mapping[str, Account], currency: str) -> None:
    """What is owed is paid first of what has become available; both rows are locked."""
    part = min(-there[OWED].posted, there[WALLET].available)
    if part > 0:
        await _post(work, cause_id, [Transfer(WALLET, OWED, Money(part, currency), "netted")], freed=0)


async def _refuse_unbearable(
    work: Work, cause_id: UUID, there: Mapping[str, Account], changes: Mapping[str, Change], currency: str
) -> None:
    """Raises InsufficientBalance, unless all of it stood there before."""
    for name, change in changes.items():
        if not there[name].bears(change) and not await _stands(work, cause_id):
            _refuse_shortage(there[name], -change.posted, currency)


async def _stands(work: Work, cause_id: UUID) -> bool:
    query = (
        sa.select(transfers.c.id)
        .where(transfers.c.tenant_id == work.tenant, transfers.c.cause_id == cause_id)
        .limit(1)
    )
    return (await work.connection.execute(query)).first() is not None


def _refuse_shortage(row: Account, required: int, currency: str) -> None:
    if row.available < required:
        raise InsufficientBalance(Money(row.available, currency), Money(required, currency))


async def _resolve(work: Work, hold_id: UUID, state: str) -> int | None:
    """A hold ends once: whoever finds it open ends it."""
    statement = (
        sa.update(holds)
        .where(holds.c.tenant_id == work.tenant, holds.c.id == hold_id, holds.c.state == "open")
        .values(state=state, resolved_at=work.now)
        .returning(holds.c.amount)
    )
    row = (await work.connection.execute(statement)).first()
    return row.amount if row else None
