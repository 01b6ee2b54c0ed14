"""Stripe's test side, by a key that begins with sk_test_ and a card that Stripe publishes."""

import pytest

from services.ids import new_id
from services.money import Money
from services.providers.abilities import Charge
from services.providers.base import Accepted, Failed, Misconfigured, Pending, Succeeded
from services.providers.refunds import Refund
from tests.smoke.conftest import NOWHERE
from tests.smoke.keys import given, url_of

pytestmark = [pytest.mark.smoke("stripe"), pytest.mark.enable_socket]
FIVE = Money(5_00, "USD")


async def test_its_key_is_good_and_another_is_refused(client):
    assert await client("stripe").prove_keys() is None
    assert isinstance(await client("stripe", secret_key="sk_test_wrong").prove_keys(), Misconfigured)


async def test_a_page_is_opened_nobody_has_paid_there_and_it_is_closed(client, page, told):
    stripe = client("stripe")
    answer = await stripe.open_page(page("stripe", FIVE))
    assert isinstance(answer, Accepted), answer
    assert (answer.page or "").startswith("http")
    assert isinstance(await told(stripe, answer.reference, times=1), Pending)
    await stripe.close_page(answer.reference)
    assert isinstance(await told(stripe, answer.reference, times=3), Failed)


async def test_a_saved_card_is_charged_and_the_payment_given_back(client, page, http):
    """https://docs.stripe.com/testing: pm_card_visa."""
    customer = await made(http, "customers", email="smoke@example.com")
    card = await made(http, "payment_methods/pm_card_visa/attach", customer=customer)
    wanted = page("stripe", FIVE)
    charge = Charge("stripe", wanted.attempt_id, FIVE, {"payment_method_id": card}, wanted)
    answer = await client("stripe").charge(charge)
    assert isinstance(answer, Accepted), answer
    assert answer.told is not None
    word = answer.told.word
    assert isinstance(word, Succeeded)
    assert word.amount == FIVE
    receipt = word.receipt or ""
    refund = Refund("stripe", new_id(), FIVE, receipt, NOWHERE, NOWHERE, "Smoke test")
    back = await client("stripe").refund(refund)
    assert isinstance(back, Accepted), back


async def made(http, path, **form):
    """As the card's own page makes it; the id."""
    headers = {"Authorization": f"Bearer {given('stripe')['secret_key']}"}
    async with http.post(f"{url_of('stripe')}/v1/{path}", data=form, headers=headers) as answer:
        told = await answer.json()
        assert answer.status == 200, told
        return told["id"]
