"""Ledger: double entry with holds. Money only moves.

A transfer takes from one account and gives to another, is never changed, and is unique by its cause
and reason, so that the same again moves nothing. Accounts keep `posted` and `held` apart; of a limited
account never more than `posted - held` may leave. Rows are locked first, in the order of their ids;
what is refused is refused before anything is written. Each account counts its entries, and a transfer
bears its number in both accounts: what was added since a number is known exactly, whoever commits first.

What a provider takes back is taken whether the wallet covers it or not: the rest is owed, and whatever
becomes available in the wallet later pays it first, in the transaction that makes it available.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.errors import InsufficientBalance
from services.errors.refunds import MoneyOwed
from services.facts import Balance
from services.ids import new_id
from services.ledger_rows import account_id as account_id  # noqa: PLC0414  others know it from here
from services.ledger_rows import change as _change
from services.ledger_rows import locked as _locked
from services.money import Money
from services.points import point
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
    wallet = (await _locked(work, [WALLET], amount.currency))[WALLET]
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
    await _change(work, amount.currency, posted={}, held={WALLET: amount.minor})
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
    rows = await _locked(work, [WALLET, OWED], currency)
    await _change(work, currency, posted={}, held={WALLET: -amount})
    await _net(work, hold_id, rows, _available(rows[WALLET]) + amount, currency)
    point("ledger.released")
    return True


async def take_back(work: Work, cause_id: UUID, provider: str, amount: Money) -> Money | None:
    """The provider took this out of what it holds: from what is available in the wallet, the rest is owed.
    Returns the rest; None when it stood there before."""
    names = [WALLET, OWED, provider_account(provider)]
    rows = await _locked(work, names, amount.currency)
    covered = min(amount.minor, _available(rows[WALLET]))
    rest = Money(amount.minor - covered, amount.currency)
    moves = []
    if covered:
        taken = Money(covered, amount.currency)
        moves.append(Transfer(WALLET, provider_account(provider), taken, "reversal"))
    if rest:
        moves.append(Transfer(OWED, provider_account(provider), rest, "reversal_owed"))
    if await _stands(work, cause_id) or not await _post(work, cause_id, moves, freed=0):
        return None
    return rest


async def balance(work: Work, currency: str) -> Balance:
    """The wallet's, and what is owed beside it; without a lock."""
    query = sa.select(accounts.c.name, accounts.c.posted, accounts.c.held).where(
        accounts.c.tenant_id == work.tenant,
        accounts.c.id.in_([account_id(work.tenant, name, currency) for name in (WALLET, OWED)]),
    )
    rows = {row.name: row for row in await work.connection.execute(query)}
    wallet, owes = rows.get(WALLET), rows.get(OWED)
    posted, held = (wallet.posted, wallet.held) if wallet else (0, 0)
    return Balance(
        posted=Money(posted, currency),
        held=Money(held, currency),
        available=Money(posted - held, currency),
        owed=Money(-owes.posted if owes else 0, currency),
        at=work.now,
    )


async def refuse_owing(work: Work, currency: str) -> None:
    """Raises MoneyOwed while the tenant owes what was taken back."""
    owed = (await balance(work, currency)).owed
    if owed:
        raise MoneyOwed(owed)


async def lock_wallet(work: Work, currency: str) -> None:
    """Until the transaction ends nobody else moves the wallet: sums read now still hold at its end."""
    await _locked(work, [WALLET], currency)


async def _post(work: Work, cause_id: UUID, moves: Sequence[Transfer], freed: int) -> bool:
    currency = moves[0].amount.currency
    change: dict[str, int] = defaultdict(int)
    for move in moves:
        change[move.source] -= move.amount.minor
        change[move.target] += move.amount.minor
    earns = change.get(WALLET, 0) > 0
    rows = await _locked(work, {*change, OWED} if earns else change, currency)
    for name, row in rows.items():
        if row.limited and _available(row) + freed + change.get(name, 0) < 0:
            if await _stands(work, cause_id):
                return False
            _refuse_shortage(row, -change[name], currency)
    added = _counted(moves)
    if not await _write(work, cause_id, moves, rows):
        return False
    await _change(work, currency, posted=change, held={WALLET: -freed} if freed else {}, entries=added)
    if earns:
        available = _available(rows[WALLET]) + change[WALLET]
        await _net(work, cause_id, rows, available, currency, added)
    point("ledger.posted")
    return True


async def _net(
    work: Work,
    cause_id: UUID,
    rows: Mapping[str, sa.Row[Any]],
    available: int,
    currency: str,
    added: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """What is owed is paid first of what has become available. Both rows are locked, and as they were before
    so many entries were `added`."""
    part = min(-rows[OWED].posted, available)
    if part > 0:
        moves = [Transfer(WALLET, OWED, Money(part, currency), "netted")]
        await _write(work, cause_id, moves, rows, added)
        changed = {WALLET: -part, OWED: part}
        await _change(work, currency, posted=changed, held={}, entries=_counted(moves))


def _counted(moves: Sequence[Transfer]) -> Counter[str]:
    """How many entries each account gets of them."""
    return Counter(name for move in moves for name in (move.source, move.target))


async def _write(
    work: Work,
    cause_id: UUID,
    moves: Sequence[Transfer],
    accounts_before: Mapping[str, sa.Row[Any]],
    added: Mapping[str, int] = MappingProxyType({}),
) -> bool:
    """The transfers of one cause come together, so either all of them are new or none is. Their ids keep
    their order: a sale stands before its fee."""
    ids = sorted(new_id() for _ in moves)
    entries = {name: int(row.entries) + added.get(name, 0) for name, row in accounts_before.items()}

    def number(name: str) -> int:
        entries[name] += 1
        return entries[name]

    rows = [
        {
            "tenant_id": work.tenant,
            "id": each,
            "source_id": account_id(work.tenant, move.source, move.amount.currency),
            "source_entry": number(move.source),
            "target_id": account_id(work.tenant, move.target, move.amount.currency),
            "target_entry": number(move.target),
            "amount": move.amount.minor,
            "currency": move.amount.currency,
            "reason": move.reason,
            "cause_id": cause_id,
            "created_at": work.now,
        }
        for each, move in zip(ids, moves, strict=True)
    ]
    statement = work.insert(transfers).values(rows).on_conflict_do_nothing().returning(transfers.c.id)
    written = len((await work.connection.execute(statement)).all())
    if written not in (0, len(rows)):
        raise ValueError(f"{cause_id} posted a part of this before")
    return written > 0


async def _stands(work: Work, cause_id: UUID) -> bool:
    query = (
        sa.select(transfers.c.id)
        .where(transfers.c.tenant_id == work.tenant, transfers.c.cause_id == cause_id)
        .limit(1)
    )
    return (await work.connection.execute(query)).first() is not None


def _available(row: sa.Row[Any]) -> int:
    return int(row.posted - row.held)


def _refuse_shortage(row: sa.Row[Any], required: int, currency: str) -> None:
    available = _available(row)
    if available < required:
        raise InsufficientBalance(Money(available, currency), Money(required, currency))


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
