"""Paystack's test side, by a key that begins with sk_test_."""

import pytest

from services.money import Money
from services.providers.base import Accepted, Misconfigured, Pending, Succeeded

pytestmark = [pytest.mark.smoke("paystack"), pytest.mark.enable_socket]


async def test_its_key_is_good_and_another_is_refused(client):
    assert await client("paystack").prove_keys() is None
    assert isinstance(await client("paystack", secret_key="sk_test_wrong").prove_keys(), Misconfigured)


async def test_what_the_business_holds_is_told(client):
    answer = await client("paystack").ask_float("bank_transfer", "", "")
    assert isinstance(answer, Accepted), answer
    assert answer.told is not None
    assert isinstance(answer.told.word, Succeeded)


async def test_a_page_is_opened_and_nobody_has_paid_there(client, page, told):
    paystack = client("paystack")
    answer = await paystack.open_page(page("paystack", Money(100_00, "KES")))
    assert isinstance(answer, Accepted), answer
    assert (answer.page or "").startswith("http")
    assert isinstance(await told(paystack, answer.reference, times=1), Pending)
