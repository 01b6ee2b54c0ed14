"""Receipts: that the one which somebody names is of no other money, as far as our records and the provider's
statement tell. A race that is lost all the same is refused by the database, which has each receipt once."""

from typing import Any

import sqlalchemy as sa

from services.errors.review import AmountDiffers, ReceiptUsed
from services.money import Money
from services.payments.credit import counted_as
from services.providers.listing import Kind
from services.review.subject import Subject
from services.store.schema import attempts, payouts, refund_attempts, statement_lines
from services.work import Work


async def refuse_of_others(work: Work, one: Subject, receipt: str) -> None:
    """Raises ReceiptUsed; of a payment AmountDiffers too, where the provider's statement has another one."""
    if await used(work, one, receipt):
        raise ReceiptUsed(receipt)
    if one.payment is not None:
        await _refuse_listed(work, one, receipt)


async def used(work: Work, one: Subject, receipt: str) -> bool:
    """Another payout, refund or payment of the same provider has this receipt, in whatever capitals, was told
    of by it, or was credited with what it stands for."""
    if one.payment is not None and await counted_as(work, one.payment) is not None:
        return True
    same = receipt.lower()
    told = sa.func.lower(sa.cast(attempts.c.told, sa.Text)).contains(f'"{same}"', autoescape=True)
    of_attempts = sa.or_(sa.func.lower(attempts.c.receipt) == same, told)
    for table, found in (
        (payouts, sa.func.lower(payouts.c.receipt) == same),
        (refund_attempts, sa.func.lower(refund_attempts.c.receipt) == same),
        (attempts, of_attempts),
    ):
        query = sa.select(table.c.id).where(
            table.c.tenant_id == work.tenant,
            table.c.provider == one.about.provider,
            table.c.id != one.about.id,
            found,
        )
        if (await work.connection.execute(query.limit(1))).first() is not None:
            return True
    return False


async def _refuse_listed(work: Work, one: Subject, receipt: str) -> None:
    """Where the provider's own statement has it, it is a payment, of what was asked for."""
    lines = await _lines(work, one.about.provider, receipt)
    paid = [Money(line.amount, line.currency) for line in lines if line.kind == Kind.PAID]
    if lines and not paid:
        raise ReceiptUsed(receipt)
    if paid and one.about.amount not in paid:
        raise AmountDiffers(one.about.amount, paid[0])


async def _lines(work: Work, provider: str, receipt: str) -> list[Any]:
    """As it is written, or in the capitals that the provider may use: there are too many to look at all."""
    query = sa.select(statement_lines).where(
        statement_lines.c.tenant_id == work.tenant,
        statement_lines.c.provider == provider,
        statement_lines.c.receipt.in_({receipt, receipt.upper(), receipt.lower()}),
    )
    return list((await work.connection.execute(query)).all())
