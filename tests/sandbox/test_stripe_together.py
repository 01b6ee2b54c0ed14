"""The adapter of Stripe and the emulated Stripe, which share no code: every scenario, over real HTTP."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import aiohttp
import pytest

from services.money import Money
from services.news import Unpaid
from services.providers import stripe_client
from services.providers.abilities import Charge, Page
from services.providers.base import (
    Accepted,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Succeeded,
    Unknown,
)
from services.providers.refunds import Refund
from services.providers.stripe import Stripe
from services.providers.stripe_settings import StripeSettings
from tests.sandbox.stripes import KEY, SECRET, with_stripe
from tests.services.providers.stub_daraja import OneToken

AMOUNT = Money(950_00, "KES")
ASKS, LATER = "4000002760003184", "4000000000000341"


@pytest.fixture
def world(world):
    return with_stripe(world)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(stripe_client, "_AGAIN_SECONDS", 0.01)


class Shop:
    """One that takes cards. `attempt` is minted for each payment."""

    def __init__(self, sandbox, http, wait):
        self.sandbox, self.wait = sandbox, wait
        self.settings = StripeSettings.model_validate({"secret_key": KEY, "webhook_secret": SECRET})
        opened = (http, f"{sandbox.url}/stripe", OneToken(), sandbox.clock)
        self.stripe = Stripe(self.settings, *opened)
        self.wrong = Stripe(StripeSettings.model_validate({"secret_key": "sk_test_other"}), *opened)

    def page(self, attempt: UUID | None = None, amount: Money = AMOUNT) -> Page:
        return Page(
            "stripe",
            attempt or uuid4(),
            amount,
            "ORD-7",
            "Unga, 2 kg",
            self.sandbox.clock() + timedelta(hours=1),
            "https://example.org/back",
            "",
            "",
            "nobody@example.org",
        )

    async def opened(self, page: Page) -> str:
        answer = await self.stripe.open_page(page)
        assert isinstance(answer, Accepted), answer
        return answer.reference

    async def act(self, session, **body):
        return await self.sandbox.act(f"stripe/sessions/{session}", **body)

    async def paid(self, card="4242424242424242", page=None):
        """(the receipt, the card that may be charged again) of a page that was paid."""
        session = await self.opened(page or self.page())
        await self.act(session, outcome="pay", card=card, proven=True)
        word = await self.stripe.check(session)
        assert isinstance(word, Succeeded), word
        return word.receipt, dict(word.method or {})

    def charge(self, method, **changes) -> Charge:
        page = self.page(**changes)
        return Charge("stripe", page.attempt_id, page.amount, method, page)

    async def heard(self, about):
        """The reports of this kind among the events, all of which are signed."""
        await self.wait(lambda: any(each.about == about for each in self.reports()))
        return [each for each in self.reports() if each.about == about]

    def reports(self):
        came = self.sandbox.app.raw
        return [
            self.stripe.read("signed", raw)
            for raw, header in came
            if self.settings.signed(raw, header, self.sandbox.clock())
        ]


@pytest.fixture
async def shop(sandbox, wait):
    async with aiohttp.ClientSession() as http:
        yield Shop(sandbox, http, wait)


# --- pages


@pytest.mark.parametrize(
    "amount", [AMOUNT, Money(5_000, "UGX"), Money(50, "USD"), Money(1_99, "NGN"), Money(1_00, "TZS")]
)
async def test_a_page_is_paid_told_and_found_with_its_card(shop, amount):
    page = shop.page(amount=amount)
    session = await shop.opened(page)
    assert await shop.stripe.check(session) == Pending("open unpaid")
    await shop.act(session, outcome="pay")
    (report,) = await shop.heard("collect")
    assert report.references == {session, str(page.attempt_id)}
    assert report.facts == {"reference": session, "ask": True}
    word = await shop.stripe.check(session)
    assert word.amount == amount
    assert (word.method["last4"], word.method["brand"]) == ("4242", "Visa")


async def test_the_same_page_is_opened_once(shop):
    page = shop.page()
    assert await shop.opened(page) == await shop.opened(page)
    assert len((await shop.sandbox.look("stripe"))["sessions"]) == 1


async def test_a_declined_card_leaves_it_open_and_tells_nothing(shop):
    session = await shop.opened(shop.page())
    told = await shop.act(session, outcome="pay", card="4000000000000002")
    assert told == {"result": "declined"}
    assert await shop.stripe.check(session) == Pending("open unpaid")
    await shop.heard("other")
    assert [each for each in shop.reports() if each.about != "other"] == []


async def test_a_page_that_is_closed_is_told_and_cannot_be_paid(shop):
    session = await shop.opened(shop.page())
    await shop.stripe.close_page(session)
    await shop.stripe.close_page(session)
    assert await shop.stripe.check(session) == Failed(Unpaid.EXPIRED, "expired")
    assert (await shop.heard("collect"))[0].word == Failed(Unpaid.EXPIRED, "expired")


async def test_one_that_nobody_pays_ends_by_the_clock(shop):
    session = await shop.opened(shop.page())
    await shop.sandbox.act("clock", hours=2)
    assert (await shop.heard("collect"))[0].word == Failed(Unpaid.EXPIRED, "expired")
    assert isinstance(await shop.stripe.check(session), Failed)


@pytest.mark.parametrize(("outcome", "kind"), [("succeed", Succeeded), ("fail", Failed)])
async def test_a_bank_that_takes_its_time_is_waited_for(shop, outcome, kind):
    session = await shop.opened(shop.page())
    await shop.act(session, outcome="later")
    assert await shop.stripe.check(session) == Pending("complete unpaid")
    await shop.act(session, outcome=outcome)
    await shop.wait(lambda: len([each for each in shop.reports() if each.about == "collect"]) == 2)
    assert isinstance(await shop.stripe.check(session), kind)


# --- faults


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_a_page_whose_answer_is_lost_is_opened_all_the_same(shop, fault):
    await shop.sandbox.arm("stripe.session", fault)
    await shop.opened(shop.page())
    assert len((await shop.sandbox.look("stripe"))["sessions"]) == 1


@pytest.mark.parametrize(("fault", "kind"), [("500_after", Unknown), ("spike", NotSent)])
async def test_what_a_page_that_is_not_opened_is(shop, fault, kind):
    await shop.sandbox.arm("stripe.session", fault)
    assert isinstance(await shop.stripe.open_page(shop.page()), kind)


@pytest.mark.parametrize("fault", ["500", "drop"])
async def test_a_card_is_charged_once_though_its_answer_is_lost(shop, fault):
    _, method = await shop.paid()
    await shop.sandbox.arm("stripe.charge", fault)
    answer = await shop.stripe.charge(shop.charge(method))
    assert isinstance(answer.told.word, Succeeded)
    payments = (await shop.sandbox.look("stripe"))["payments"]
    assert len(payments) == 2


async def test_a_charge_that_is_answered_by_500_for_ever_is_unknown_and_its_event_decides(shop):
    _, method = await shop.paid()
    await shop.sandbox.arm("stripe.charge", "500_after")
    charge = shop.charge(method)
    assert isinstance(await shop.stripe.charge(charge), Unknown)
    assert isinstance(await shop.stripe.charge(charge), Unknown)
    await shop.wait(lambda: any(str(charge.attempt_id) in each.references for each in shop.reports()))
    (report,) = [each for each in shop.reports() if str(charge.attempt_id) in each.references]
    assert report.word.amount == AMOUNT
    assert await shop.stripe.check(report.facts["reference"]) == Succeeded(
        report.word.receipt, AMOUNT, method
    )


@pytest.mark.parametrize("fault", ["twice", "unordered", "late"])
async def test_events_come_as_they_like_and_say_the_same(shop, fault):
    await shop.sandbox.arm("stripe.webhook", fault, seconds=0.05)
    session = await shop.opened(shop.page())
    await shop.act(session, outcome="pay")
    reports = await shop.heard("collect")
    assert all(each == reports[0] for each in reports)
    assert reports[0].facts["ask"]


async def test_a_forged_event_and_a_replayed_one_are_not_let_in(shop):
    for fault in ("forged", "stale"):
        await shop.sandbox.arm("stripe.webhook", fault)
        await shop.stripe.close_page(await shop.opened(shop.page()))
    await shop.wait(lambda: len(shop.sandbox.app.raw) >= 4)
    assert len(shop.reports()) == 2


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_an_event_that_tells_another_amount_credits_nothing_and_asking_tells_the_right_one(shop, fault):
    await shop.sandbox.arm("stripe.webhook", fault)
    session = await shop.opened(shop.page())
    await shop.act(session, outcome="pay")
    assert (await shop.heard("collect"))[0].word == Pending("paid")
    assert (await shop.stripe.check(session)).amount == AMOUNT


async def test_a_lost_event_is_found_by_asking_and_asking_may_fail_too(shop):
    await shop.sandbox.arm("stripe.webhook", "lost")
    session = await shop.opened(shop.page())
    await shop.act(session, outcome="pay")
    for fault, said in (("500", Unknown), ("spike", Pending)):
        await shop.sandbox.arm("stripe.query", fault)
        assert isinstance(await shop.stripe.check(session), said)
    assert isinstance(await shop.stripe.check(session), Succeeded)


# --- saved cards


async def test_a_saved_card_is_charged_told_and_forgotten(shop):
    _, method = await shop.paid()
    charge = shop.charge(method)
    answer = await shop.stripe.charge(charge)
    assert answer.told.word == Succeeded(answer.reference, AMOUNT, method)
    assert await shop.stripe.charge(charge) == answer
    assert await shop.stripe.check(answer.reference) == answer.told.word
    assert await shop.stripe.forget(method) is None
    assert await shop.stripe.forget(method) is None
    refused = await shop.stripe.charge(shop.charge(method))
    assert isinstance(refused, Refused)
    assert refused.because is Unpaid.CARD


async def test_a_card_that_is_declined_once_it_is_saved(shop):
    _, method = await shop.paid(LATER)
    refused = await shop.stripe.charge(shop.charge(method))
    assert (refused.because, refused.ours) == (Unpaid.DECLINED, False)


async def test_a_bank_that_asks_gets_a_page_and_the_payment_before_it_ends_nothing(shop):
    _, method = await shop.paid(ASKS)
    charge = shop.charge(method)
    answer = await shop.stripe.charge(charge)
    assert answer.page.startswith(shop.sandbox.url)
    assert await shop.stripe.charge(charge) == answer
    await shop.act(answer.reference, outcome="pay", card=ASKS, proven=True)
    assert isinstance(await shop.stripe.check(answer.reference), Succeeded)
    mine = str(charge.attempt_id)
    await shop.wait(lambda: sum(mine in each.references for each in shop.reports()) >= 2)
    words = [each.word for each in shop.reports() if mine in each.references]
    assert all(isinstance(word, Pending) for word in words)


async def test_a_page_in_its_place_that_was_lost_is_opened_anew_though_the_way_back_is_another(shop):
    """Nobody was given the first."""
    _, method = await shop.paid(ASKS)
    charge = shop.charge(method)
    await shop.sandbox.arm("stripe.session", "500_after")
    assert isinstance(await shop.stripe.charge(charge), NotSent)
    later = replace(charge, page=replace(charge.page, return_url="https://example.org/back-again"))
    answer = await shop.stripe.charge(later)
    assert isinstance(answer, Accepted)
    assert answer.page is not None


async def test_a_charge_that_takes_its_time_is_told_later(shop):
    _, method = await shop.paid()
    await shop.sandbox.arm("stripe.outcome", "processing")
    answer = await shop.stripe.charge(shop.charge(method))
    assert answer.told.word == Pending("processing")
    await shop.wait(lambda: any(answer.reference in each.references for each in shop.reports()))
    assert isinstance(await shop.stripe.check(answer.reference), Succeeded)


# --- refunds and disputes


async def give_back(shop, receipt, amount=AMOUNT):
    refund = Refund("stripe", uuid4(), amount, receipt, "", "", "Refund ORD-7")
    return refund.attempt_id, await shop.stripe.refund(refund)


async def test_a_payment_is_given_back_in_parts_and_each_is_found(shop):
    receipt, _ = await shop.paid()
    first, answer = await give_back(shop, receipt, Money(200_00, "KES"))
    second, rest = await give_back(shop, receipt, Money(750_00, "KES"))
    assert answer.told.word == Succeeded(answer.reference, Money(200_00, "KES"))
    for attempt, made in ((first, answer), (second, rest)):
        for known in (made.reference, None):
            asked = await shop.stripe.ask_refund(receipt, known, "", "", attempt)
            assert (asked.reference, asked.told.word) == (made.reference, made.told.word)
    _, refused = await give_back(shop, receipt, Money(1_00, "KES"))
    assert isinstance(refused, Refused)
    reports = await shop.heard("refund")
    assert {name for each in reports for name in each.references} >= {str(first), answer.reference}


@pytest.mark.parametrize(("fault", "kind"), [("drop", Accepted), ("500", Accepted), ("500_after", Unknown)])
async def test_a_refund_whose_answer_is_lost_is_made_once_and_found(shop, fault, kind):
    receipt, _ = await shop.paid()
    await shop.sandbox.arm("stripe.refund", fault)
    attempt, answer = await give_back(shop, receipt)
    assert isinstance(answer, kind)
    asked = await shop.stripe.ask_refund(receipt, None, "", "", attempt)
    assert isinstance(asked.told.word, Succeeded)
    assert len((await shop.sandbox.look("stripe"))["refunds"]) == 1


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [("pending", Pending, Succeeded), ("failed", Failed, Failed), ("failed_later", Succeeded, Failed)],
)
async def test_a_refund_may_take_its_time_and_may_fail_after_it_was_made(shop, fault, first, then):
    receipt, _ = await shop.paid()
    await shop.sandbox.arm("stripe.refunded", fault)
    attempt, answer = await give_back(shop, receipt)
    assert isinstance(answer.told.word, first)
    await shop.wait(lambda: any(e.about == "refund" and isinstance(e.word, then) for e in shop.reports()))
    asked = await shop.stripe.ask_refund(receipt, answer.reference, "", "", attempt)
    assert isinstance(asked.told.word, then)


async def test_what_is_given_back_at_stripe_or_by_a_lost_dispute_is_taken_back(shop):
    receipt, _ = await shop.paid()
    await shop.sandbox.act("stripe/refunds", payment=receipt, amount=100_00)
    (report,) = await shop.heard("taken_back")
    assert receipt in report.references
    assert report.word.amount == Money(100_00, "KES")
    dispute = await shop.sandbox.act("stripe/disputes", payment=receipt, amount=500_00)
    (disputed,) = await shop.heard("disputed")
    assert disputed.word == Succeeded(dispute["id"], Money(500_00, "KES"))
    await shop.sandbox.act(f"stripe/disputes/{dispute['id']}", status="lost")
    await shop.wait(lambda: sum(each.about == "taken_back" for each in shop.reports()) == 2)
    assert shop.reports()[-1].word == disputed.word


# --- keys


async def test_keys_are_proven(shop):
    assert await shop.stripe.prove_keys() is None
    assert isinstance(await shop.wrong.prove_keys(), Misconfigured)
    assert isinstance(await shop.wrong.open_page(shop.page()), Misconfigured)
    await shop.sandbox.arm("stripe.query", "500")
    assert isinstance(await shop.stripe.prove_keys(), NotSent)
