"""Pesapal's test side, by the keys that it publishes for each country."""

import pytest

from services.money import Money
from services.providers.base import Accepted, Misconfigured, Pending

pytestmark = [pytest.mark.smoke("pesapal"), pytest.mark.enable_socket]


async def test_its_keys_are_good_and_others_are_refused(client):
    assert await client("pesapal").prove_keys() is None
    assert isinstance(await client("pesapal", consumer_secret="wrong").prove_keys(), Misconfigured)


async def test_a_page_is_opened_nobody_has_paid_there_and_it_is_closed(client, page, told):
    pesapal = client("pesapal")
    answer = await pesapal.open_page(page("pesapal", Money(100_00, "KES")))
    assert isinstance(answer, Accepted), answer
    assert (answer.page or "").startswith("http")
    assert isinstance(await told(pesapal, answer.reference, times=1), Pending)
    await pesapal.close_page(answer.reference)
