"""The name of whoever holds a bank account is sealed with the account; elsewhere there are initials."""

import sqlalchemy as sa

from services.audit.anchors import Anchors
from services.audit.verify import verify
from services.store.schema import audit, withdrawals
from services.store.scope import AUDITOR, within
from tests.services.business import TO_BANK

HOLDER = TO_BANK.details["account_name"]
MASKED = "******9887, KCB, M. N."


async def test_a_holder_is_named_in_no_row_record_or_news_and_the_audit_stands(business):
    await business.paid("5000")
    withdrawal = await business.withdraw("1000", to=TO_BANK)
    assert withdrawal.destination == MASKED
    async with business.teller(business.manager) as teller:
        await teller.approve(withdrawal.id, withdrawal.digest)
    assert (await business.row(withdrawals, withdrawal.id)).destination == MASKED
    async with business.behind() as work:
        facts = sa.select(audit.c.facts).where(audit.c.tenant_id == business.tenant)
        recorded = [str(each) for each in (await work.connection.execute(facts)).scalars()]
    assert any(MASKED in each for each in recorded)
    assert not any(HOLDER in each for each in recorded)
    async with business.work() as work, within(work.connection, AUDITOR):
        assert (await verify(work.connection, business.vault, Anchors(), business.tenant)).findings == []
    for person in (business.manager, business.owner, business.cashier):
        assert HOLDER not in "".join(news.model_dump_json() for news in await business.news(person))


async def test_who_decides_reads_the_name_and_who_made_it_does_not(business):
    await business.paid("5000")
    withdrawal = await business.withdraw("1000", to=TO_BANK)
    async with business.teller(business.manager) as teller:
        (waiting,) = await teller.awaiting_approval()
        seen = await teller.withdrawal(withdrawal.id)
    assert waiting.to == seen.to == f"******9887, KCB, {HOLDER}"
    async with business.teller(business.cashier) as teller:
        assert (await teller.withdrawal(withdrawal.id)).to == MASKED
