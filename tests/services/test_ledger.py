import asyncio
import random

import pytest
import sqlalchemy as sa

from services import ledger
from services.books.chained import CHAINED
from services.errors import InsufficientBalance
from services.errors.refunds import MoneyOwed
from services.ids import new_id
from services.ledger import SUSPENSE, WALLET, Transfer
from services.ledger.together import hold_all
from services.money import Money
from services.store.schema import accounts, holds, transfers
from tests.services.business import Business, kes

IN = Transfer("provider:mpesa", WALLET, kes("100"), "gift")
OUT = Transfer(WALLET, "provider:mpesa", kes("60"), "payout")
FEE = Transfer(WALLET, "fees:withdrawals", kes("40"), "withdrawal_fee")


async def test_the_same_cause_and_reason_posts_once(business):
    cause = new_id()
    async with business.work() as work:
        assert await ledger.post(work, cause, [IN])
        assert not await ledger.post(work, cause, [IN])
    assert await business.wallet() == ("100.00", "0.00", "100.00")


async def test_of_a_wallet_that_is_not_there_yet_nothing_is_held(business):
    async with business.behind() as work:
        with pytest.raises(InsufficientBalance) as refused:
            await ledger.hold(work, new_id(), kes("1"))
    assert refused.value.available == Money(0, "KES")


async def test_each_currency_has_a_wallet_of_its_own(business):
    dollars = Transfer("provider:stripe", WALLET, Money.parse("7", "USD"), "gift")
    async with business.behind() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.post(work, new_id(), [dollars])
        for currency, amount in (("KES", "100.00"), ("USD", "7.00")):
            balance = await ledger.balance(work, currency)
            assert (str(balance.available), balance.available.currency) == (amount, currency)


async def test_many_are_held_together_up_to_all_that_is_available_and_no_further(business):
    first, second = new_id(), new_id()
    async with business.behind() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.hold(work, new_id(), kes("10"))
        with pytest.raises(InsufficientBalance) as refused:
            await hold_all(work, {first: kes("50"), second: kes("40.01")}, "KES")
        assert (refused.value.available, refused.value.required) == (kes("90"), kes("90.01"))
        await hold_all(work, {first: kes("50"), second: kes("40")}, "KES")
        kept = await work.connection.execute(sa.select(holds.c.id, holds.c.amount, holds.c.state))
        assert {(first, 50_00, "open"), (second, 40_00, "open")} < {tuple(row) for row in kept}
    assert await business.wallet() == ("100.00", "100.00", "0.00")


async def test_a_limited_account_never_falls_below_what_is_held(business):
    async with business.behind() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.hold(work, new_id(), kes("50"))
        with pytest.raises(InsufficientBalance) as refused:
            await ledger.post(work, new_id(), [OUT])
        with pytest.raises(InsufficientBalance):
            await ledger.hold(work, new_id(), kes("51"))
        assert (refused.value.available, refused.value.required) == (kes("50"), kes("60"))
        count = await work.connection.scalar(sa.select(sa.func.count()).select_from(transfers))
        assert count == 1  # refused before anything was written


async def test_a_replay_is_not_refused_for_want_of_money(business):
    cause = new_id()
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
        assert await ledger.post(work, cause, [OUT])
        assert not await ledger.post(work, cause, [OUT])


async def test_a_hold_is_held_once_and_ends_once(business):
    hold = new_id()
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
        assert await ledger.hold(work, hold, kes("100"))
        assert not await ledger.hold(work, hold, kes("100"))
    async with business.work() as work:
        assert await ledger.post_hold(work, hold, [OUT, FEE])
        assert not await ledger.post_hold(work, hold, [OUT, FEE])
        assert not await ledger.release(work, hold, "voided", "KES")
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_a_hold_is_posted_in_full(business):
    hold = new_id()
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.hold(work, hold, kes("100"))

    async def post_a_part() -> None:
        async with business.work() as work:
            await ledger.post_hold(work, hold, [OUT])

    with pytest.raises(ValueError, match="hold"):
        await post_a_part()
    assert await business.wallet() == ("100.00", "100.00", "0.00")


async def test_a_part_of_what_a_cause_posted_is_a_bug(business):
    cause = new_id()
    async with business.work() as work:
        await ledger.post(work, cause, [IN])

    async def post_more() -> None:
        async with business.work() as work:
            await ledger.post(work, cause, [IN, FEE])

    with pytest.raises(ValueError, match="a part"):
        await post_more()
    assert await business.wallet() == ("100.00", "0.00", "100.00")


async def test_a_wallet_that_was_never_used_is_empty(business):
    assert await business.wallet() == ("0.00", "0.00", "0.00")


async def test_postings_at_once_in_opposite_directions_do_not_deadlock(business):
    names = ["provider:mpesa", "fees:payments", "provider:stripe", SUSPENSE]
    dice = random.Random(7)

    async def one(source: str, target: str) -> None:
        async with business.work() as work:
            await ledger.post(work, new_id(), [Transfer(source, target, kes("1"), "gift")])

    await asyncio.gather(*(one(*dice.sample(names, 2)) for _ in range(60)))
    assert sum((await business.balances()).values()) == 0


async def test_postings_at_once_to_one_wallet_are_counted_without_a_gap_and_never_overdraw(business):
    """What is read of a row that was waited for is what it is then."""
    dice = random.Random(11)

    async def one(move: Transfer) -> bool:
        await asyncio.sleep(dice.random() / 50)
        async with business.work() as work:
            return await ledger.post(work, new_id(), [move])

    moves = [IN] * 30 + [OUT] * 70
    dice.shuffle(moves)
    results = await asyncio.gather(*(one(move) for move in moves), return_exceptions=True)
    paid = [result for move, result in zip(moves, results, strict=True) if move is OUT]
    assert [result for move, result in zip(moves, results, strict=True) if move is IN] == [True] * 30
    assert {type(result) for result in paid} == {bool, InsufficientBalance}
    left = 30 * 100 - 60 * paid.count(True)
    assert left >= 0
    assert await business.wallet() == (f"{left:.2f}", "0.00", f"{left:.2f}")
    async with business.behind() as work:
        numbers = sa.union_all(
            sa.select(transfers.c.target_entry.label("n")).where(transfers.c.reason == "gift"),
            sa.select(transfers.c.source_entry).where(transfers.c.reason == "payout"),
        )
        found = sorted((await work.connection.execute(numbers)).scalars())
    assert found == list(range(1, 31 + paid.count(True)))


async def test_holds_at_once_never_overdraw(business):
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])

    async def hold() -> bool:
        async with business.work() as work:
            return await ledger.hold(work, new_id(), kes("30"))

    results = await asyncio.gather(*(hold() for _ in range(8)), return_exceptions=True)
    assert results.count(True) == 3
    assert await business.wallet() == ("100.00", "90.00", "10.00")


async def test_the_database_refuses_an_overdraft_by_itself(business):
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
    for values in ({"posted": -1}, {"held": 10_001}, {"held": -1}):
        with pytest.raises(sa.exc.IntegrityError):
            async with business.behind() as work:
                await work.connection.execute(
                    sa.update(accounts).where(accounts.c.name == WALLET).values(**values)
                )


@pytest.mark.parametrize(
    ("spoil", "rules"),
    [
        (
            lambda: sa.update(accounts).where(accounts.c.name == WALLET).values(posted=accounts.c.posted + 1),
            [
                "the posted balances of a tenant and currency sum to zero",
                "a balance is the sum of its entries",
            ],
        ),
        (
            lambda: sa.update(accounts).where(accounts.c.name == WALLET).values(held=5),
            ["held is the sum of the open holds"],
        ),
        (
            lambda: sa.update(transfers).values(currency="UGX"),
            ["a transfer is in the currency of its accounts"] * 2 + [CHAINED],
        ),
        (
            lambda: sa.delete(transfers),
            ["a balance is the sum of its entries"] * 2
            + ["the entries of an account are numbered without a gap"] * 2
            + [CHAINED],
        ),
    ],
)
async def test_the_proof_names_the_row_that_is_wrong(database, vault, spoil, rules):
    business = await Business(database, vault).open()
    async with business.behind() as work:
        await ledger.post(work, new_id(), [IN])
        await work.connection.execute(spoil())
        breaches = await business.breaches(work)
    assert [breach.rule for breach in breaches] == rules
    assert all(breach.tenant_id == business.tenant and breach.row for breach in breaches)


async def test_the_proof_finds_a_success_without_its_posting_and_a_hold_without_its_end(database, vault):
    business = await Business(database, vault).open()
    await business.paid("1000")
    withdrawal = await business.withdraw("500")
    async with business.behind() as work:
        await work.connection.execute(sa.update(holds).values(state="voided"))
        await work.connection.execute(sa.update(accounts).values(held=0))
        await work.connection.execute(sa.update(transfers).values(reason="present"))
        breaches = await business.breaches(work)
    assert breaches.pop().rule == CHAINED
    assert [(breach.rule, breach.expected, breach.found) for breach in breaches] == [
        ("a succeeded attempt is posted once, in full", "100000", "0"),
        ("a hold is open while its withdrawal is", "open", "voided"),
    ]
    assert breaches[1].row == str(withdrawal.id)


async def test_what_is_taken_back_beyond_the_wallet_is_owed_and_the_next_sales_pay_it(business):
    taken, sale, hold = new_id(), new_id(), new_id()
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.hold(work, hold, kes("70"))
        assert await ledger.take_back(work, taken, "mpesa", kes("80")) == kes("50")
        assert await ledger.take_back(work, taken, "mpesa", kes("80")) is None
        with pytest.raises(MoneyOwed):
            await ledger.refuse_owing(work, "KES")
    assert await business.wallet() == ("70.00", "70.00", "0.00")
    async with business.work() as work:
        assert await ledger.post(work, sale, [Transfer("provider:mpesa", WALLET, kes("20"), "gift")])
        assert not await ledger.post(work, sale, [Transfer("provider:mpesa", WALLET, kes("20"), "gift")])
        assert (await ledger.balance(work, "KES")).owed == kes("30")
    async with business.work() as work:
        assert await ledger.release(work, hold, "voided", "KES")  # what becomes available pays it too
        assert not (await ledger.balance(work, "KES")).owed
        assert await business.breaches(work) == []
    assert await business.wallet() == ("40.00", "0.00", "40.00")


async def test_what_the_wallet_covers_is_taken_back_once(business):
    taken = new_id()
    async with business.behind() as work:
        await ledger.post(work, new_id(), [IN])
        assert await ledger.take_back(work, taken, "mpesa", kes("60")) == Money(0, "KES")
        assert await ledger.take_back(work, taken, "mpesa", kes("60")) is None
        assert await ledger.take_back(work, new_id(), "mpesa", kes("50")) == kes("10")
        query = sa.select(transfers.c.reason, transfers.c.amount)  # ids of one millisecond have no order
        found = sorted(tuple(row) for row in await work.connection.execute(query))
    assert found == [("gift", 100_00), ("reversal", 40_00), ("reversal", 60_00), ("reversal_owed", 10_00)]
    assert await business.balances() == {"provider:mpesa": 10_00, "wallet": 0, "owed": -10_00}


async def test_books_name_what_is_available_while_something_is_owed(business):
    async with business.work() as work:
        await ledger.post(work, new_id(), [IN])
        await ledger.take_back(work, new_id(), "mpesa", kes("150"))
        await ledger.post(work, new_id(), [IN])
    await business.change(accounts, accounts.c.name == "owed", posted=-10_00)
    async with business.work() as work:
        rules = [breach.rule for breach in await business.breaches(work)]
    await business.change(accounts, accounts.c.name == "owed", posted=0)
    assert "what is owed is paid before anything is available" in rules


@pytest.mark.parametrize("gone", ["owed", "provider:mpesa", "fees:payments"])
async def test_an_account_that_was_there_and_is_not_is_opened_anew(business, gone):
    """As in a database that was restored while we ran: postings no longer look for all of them first."""
    fee = Transfer(WALLET, "fees:payments", kes("3"), "gift_fee")
    for _ in range(2):
        async with business.work() as work:
            await ledger.post(work, new_id(), [IN, fee])
    async with business.behind() as work:
        await work.connection.execute(sa.delete(transfers))
        await work.connection.execute(sa.update(accounts).values(posted=0, entries=0, hash=None))
        await work.connection.execute(sa.delete(accounts).where(accounts.c.name == gone))
    async with business.work() as work:
        assert await ledger.post(work, new_id(), [IN, fee])
    assert await business.wallet() == ("97.00", "0.00", "97.00")


async def test_accounts_whose_opening_was_rolled_back_are_opened_anew(business):
    fee = Transfer(WALLET, "fees:payments", kes("3"), "gift_fee")

    async def broken_off():
        async with business.work() as work:
            for _ in range(2):
                await ledger.post(work, new_id(), [IN, fee])
            raise KeyError

    with pytest.raises(KeyError):
        await broken_off()
    async with business.work() as work:
        assert await ledger.post(work, new_id(), [IN, fee])
    assert await business.wallet() == ("97.00", "0.00", "97.00")
