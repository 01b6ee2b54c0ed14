"""What the staff are told of the business: who of them, of what, and where."""

import asyncio

import pytest

from services import errors
from services.news.staff import BalanceLow, SaleMade
from services.providers.base import Succeeded
from services.store.schema import conversations, staff
from tests.services.business import kes
from tests.services.test_payment_requests import ask, pay


async def wrote(business, *persons):
    for person in persons:
        chat = business.chats[person]
        await business.change(conversations, conversations.c.id == chat, heard_at=business.now)


async def switch(business, person, notice, *, on=True):
    async with business.teller(person) as teller:
        return await teller.switch_notice(notice, on=on)


async def notices(business, person):
    async with business.teller(person) as teller:
        return dict((await teller.notices()).of)


async def told(business, person, kind=SaleMade):
    return [each for each in await business.news(person) if isinstance(each, kind)]


async def test_a_sale_is_told_once_to_who_wants_it(business):
    await wrote(business, business.owner, business.cashier)
    await switch(business, business.owner, "sale")
    paying = await business.paid("500")
    await paying.called(Succeeded("UKO0000001", kes("500")))
    (sale,) = await told(business, business.owner)
    assert sale == SaleMade(
        number=paying.started.number,
        amount=kes("500"),
        customer="Achieng",
        provider="mpesa",
        method="********5678",
    )
    assert await told(business, business.cashier) == []
    await switch(business, business.owner, "sale", on=False)
    await business.paid("300")
    assert len(await told(business, business.owner)) == 1


async def test_who_has_not_written_for_a_day_hears_nothing_later(business):
    await wrote(business, business.owner)
    await switch(business, business.owner, "sale")
    business.forward(hours=24)
    await business.paid("500")
    assert await business.news(business.owner) == []


async def test_the_merchants_template_reaches_who_has_not_written_for_a_day(business):
    await business.set(templates={"summary": {"name": "notice", "language": "en"}})
    await switch(business, business.owner, "sale")
    async with business.teller(business.owner) as teller:
        assert (await teller.notices()).at_any_time
    await business.paid("500")
    assert len(await told(business, business.owner)) == 1


async def test_of_several_chats_the_one_that_was_written_in_last_is_told(business):
    both = await business.person("Baraka", "Owner", phones=2)
    await business.change(conversations, conversations.c.person_id == both, heard_at=business.now)
    business.forward(minutes=1)
    await wrote(business, both)
    await switch(business, both, "sale")
    await business.paid("500")
    assert len(await told(business, both)) == 1


async def test_who_pays_and_who_asked_for_it_are_told_by_their_own_messages_only(business):
    await wrote(business, business.cashier, business.owner)
    await switch(business, business.cashier, "sale")
    await (await pay(business, await ask(business))).called(Succeeded("UKO9000001", kes("500")))
    assert await told(business, business.cashier) == []
    await switch(business, business.owner, "sale")
    business.customer = business.owner
    await business.paid("300")
    assert await told(business, business.owner) == []
    assert len(await told(business, business.cashier)) == 1


@pytest.mark.parametrize("change", [{"active": False}, {"role": "Catalog Manager"}])
async def test_who_may_no_longer_see_it_is_told_no_more(business, change):
    await wrote(business, business.owner)
    await switch(business, business.owner, "sale")
    await business.change(staff, staff.c.person_id == business.owner, **change)
    await business.paid("500")
    assert await business.news(business.owner) == []
    with pytest.raises(errors.MissingScope):
        await switch(business, business.owner, "sale")


async def test_owners_hear_of_the_day_and_of_a_low_balance_unless_they_say_no(business):
    assert await notices(business, business.owner) == {"sale": False, "summary": True, "low_balance": True}
    assert await notices(business, business.cashier) == {
        "sale": False,
        "summary": False,
        "low_balance": False,
    }
    await switch(business, business.owner, "summary", on=False)
    assert await notices(business, business.owner) == {"sale": False, "summary": False, "low_balance": True}


async def test_each_sees_what_their_scopes_let_them(business):
    lead = await business.person("Baraka", "Support Lead")
    assert await notices(business, lead) == {"sale": False}
    with pytest.raises(errors.MissingScope):
        await switch(business, lead, "summary")
    with pytest.raises(errors.MissingScope):
        await notices(business, business.customer)


async def test_two_taps_at_once_both_hold(business):
    await asyncio.gather(
        switch(business, business.cashier, "sale"), switch(business, business.cashier, "summary")
    )
    assert await notices(business, business.cashier) == {
        "sale": True,
        "summary": True,
        "low_balance": False,
    }


# --- low balance


@pytest.fixture
async def limited(business):
    """10,000 in the wallet; the owner hears where less than 9,000 are available."""
    await business.paid("10000")
    await business.set(low_balance=9_000_00)
    await wrote(business, business.owner)
    return business


async def cancel(business, withdrawal):
    async with business.teller(business.cashier) as teller:
        await teller.cancel_withdrawal(withdrawal.id)


async def test_a_withdrawal_that_takes_it_below_is_told_once_until_it_has_risen_above(limited):
    await limited.withdraw("1000")  # 9,000 are not below
    assert await told(limited, limited.owner, BalanceLow) == []
    last = await limited.withdraw("1000")
    await limited.withdraw("100")
    (low,) = await told(limited, limited.owner, BalanceLow)
    assert low == BalanceLow(available=kes("8000"), limit=kes("9000"))
    await limited.paid("300")
    await limited.withdraw("100")
    assert len(await told(limited, limited.owner, BalanceLow)) == 1
    await cancel(limited, last)
    await limited.withdraw("1000")
    assert len(await told(limited, limited.owner, BalanceLow)) == 2


async def test_of_two_withdrawals_at_once_one_is_told(limited):
    await asyncio.gather(limited.withdraw("900"), limited.withdraw("900"))
    assert len(await told(limited, limited.owner, BalanceLow)) == 1


async def test_without_a_limit_nobody_is_told(limited):
    await limited.set(low_balance=None)
    await limited.withdraw("9000")
    assert await told(limited, limited.owner, BalanceLow) == []
