"""The emulated Paystack has customers pay, on a page of its own and by cards that they paid with before."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from bot.sandbox.world import PaystackAccount
from tests.sandbox.test_emulated_paystack import Client

KEY = "sk_test_merchant"
BODY = {
    "email": "wanjiku@pay.example",
    "amount": 50_050,
    "currency": "KES",
    "reference": "019acf00-0000-7000-8000-000000000003",
    "callback_url": "https://pay.example/paid/ab12",
}


@pytest.fixture
def world(world):
    return replace(world, paystack=(PaystackAccount("MAMA NJERI DUKA", "mama-njeri", KEY, 10_000),))


@pytest.fixture
def paystack(sandbox):
    return Client(sandbox)


async def initialized(paystack, **changes):
    return await paystack.post("/transaction/initialize", BODY | changes)


async def status(paystack):
    return (await paystack.get(f"/transaction/verify/{BODY['reference']}"))[1]["data"]["status"]


async def page(paystack, outcome=None):
    url = (await initialized(paystack))[1]["data"]["authorization_url"]
    return url, await on(paystack, url, outcome)


async def on(paystack, url, outcome):
    async with paystack.sandbox.session.post(url, data={"outcome": outcome}, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location")


async def test_a_page_shows_what_is_paid_and_leads_back(paystack):
    url = (await initialized(paystack))[1]["data"]["authorization_url"]
    async with paystack.sandbox.session.get(url) as answer:
        shown = await answer.text()
    assert "KES 500.50" in shown
    assert "MAMA NJERI DUKA" in shown
    assert await status(paystack) == "abandoned"
    code, where = await on(paystack, url, "pay")
    assert code == 303
    assert urlsplit(where).path == "/paid/ab12"
    assert BODY["reference"] in urlsplit(where).query
    assert await status(paystack) == "success"
    assert (await on(paystack, url, "pay"))[0] == 410


async def test_a_card_is_declined_and_another_may_be_tried(paystack):
    url, (code, _) = await page(paystack, "fail")
    assert (code, await status(paystack)) == (402, "failed")
    await on(paystack, url, "pay")
    assert await status(paystack) == "success"


async def test_who_turns_back_has_paid_nothing(paystack):
    _, (code, where) = await page(paystack, "abandon")
    assert code == 303
    assert where
    assert await status(paystack) == "abandoned"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"email": None},
        {"amount": 0},
        {"amount": "500"},
        {"amount": 299},
        {"currency": "UGX"},
        {"reference": "with a space"},
        {"reference": None},
    ],
)
async def test_what_is_wrong_is_refused(paystack, changes):
    code, body = await initialized(paystack, **changes)
    assert code in (400, 403)
    assert body["status"] is False


async def test_a_reference_is_taken_once(paystack):
    await initialized(paystack)
    code, body = await initialized(paystack)
    assert (code, body["message"]) == (400, "Duplicate Transaction Reference")


async def charged(paystack, **changes):
    asked = {"reference": "another-one"} | changes
    return await paystack.post("/transaction/charge_authorization", BODY | asked)


async def test_a_card_is_charged_for_its_own_customer_until_it_is_forgotten(paystack):
    await page(paystack, "pay")
    told = (await paystack.get(f"/transaction/verify/{BODY['reference']}"))[1]["data"]["authorization"]
    card = {"authorization_code": told["authorization_code"]}
    assert told["reusable"] is True
    assert (await charged(paystack, **card))[1]["data"]["status"] == "success"
    assert (await charged(paystack, **card))[0] == 400  # the reference
    assert (await charged(paystack, **card, reference="x-1", email="otieno@pay.example"))[0] == 400
    assert (await paystack.post("/customer/deactivate_authorization", card))[0] == 200
    assert (await charged(paystack, **card, reference="x-2"))[0] == 400


async def test_a_page_that_is_none_is_404(paystack):
    async with paystack.sandbox.session.get(f"{paystack.sandbox.url}/paystack/pay/none") as answer:
        assert answer.status == 404
