"""Customers and how they prefer to pay, over real HTTP on both databases."""

import asyncio

import pytest

from services import breakers
from services.store.schema import conversations, inbox, people, saved_methods, tenants
from services.work import Work
from tests.bot.caller import caller
from tests.bot.door import envelope, now, opened, text
from tests.bot.test_api import rows

ABSENT = "00000000-0000-7000-8000-000000000000"
MORE = """
[providers.paystack]
secret_key = "sk_test_paystack"
[providers.stripe]
secret_key = "sk_test_stripe"
webhook_secret = "whsec_1"
[[staff]]
name = "Atieno"
phone = "+254722000004"
role = "Support Lead"
"""
PHONE = {"phone_number": "0733 000 111"}
CARD = {"authorization_code": "AUTH_8dfhjjdt", "last4": "4081", "bank": "KCB"}
STRIPE = {"payment_method_id": "pm_1Nv0Fg", "last4": "4242", "brand": "visa"}


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def support(door):
    return await caller(door, await door.open_shop(more=MORE), "Atieno")


@pytest.fixture
async def wanjiku(support):
    answer = await support.post("/customers", {"phone": "0712345678", "name": "Wanjiku"})
    assert answer.status == 201
    return f"/customers/{answer.body['id']}"


async def saved(support, wanjiku, provider, details, **more):
    body = {"provider": provider, "details": details} | more
    answer = await support.post(f"{wanjiku}/payment-methods", body)
    assert answer.status == 201, answer.body
    return answer.body["method_id"]


# --- who they are


async def test_a_customer_is_added_once_and_found(door, support):
    first = await support.post("/customers", {"phone": "+254712345678", "name": " Wanjiku "})
    assert (first.status, first.body["name"], first.body["phone"]) == (201, "Wanjiku", "********5678")
    assert set(first.body) == {"id", "name", "phone"}
    again = await support.post("/customers", {"phone": "0712 345 678", "name": "Mallory"})
    assert (again.status, again.body) == (200, first.body)
    for typed in ("0712345678", "254712345678", "%2B254712345678", "+254712345678"):
        found = await support.get(f"/customers?phone={typed}")
        assert found.body == {"count": 1, "results": [first.body], "next_cursor": None}
    assert (await support.get("/customers?phone=0712345679")).body["count"] == 0
    assert (await support.get("/customers?phone=0712345678&limit=1")).body["count"] == 1
    assert b"712345678" not in first.raw
    assert len([row for row in await rows(door, people) if row.name == "Wanjiku"]) == 1


async def test_one_whose_number_is_hidden_has_none_and_nothing_of_theirs_is_changed(door, support):
    hidden = {"whatsapp_user_id": "KE.13491208655302741918"}
    first = await support.post("/customers", hidden)
    assert (first.status, first.body["name"], first.body["phone"]) == (201, None, None)
    again = await support.post("/customers", hidden | {"phone": "0712345678"})
    assert (again.status, again.body) == (200, first.body)  # the number is merely said to be theirs
    assert (await support.get("/customers?phone=0712345678")).body["count"] == 0
    await support.post("/customers", {"phone": "0712345678"})
    both = await support.post("/customers", hidden | {"phone": "0712345678"})
    assert (both.status, both.code) == (409, "two_customers")
    new = await support.post("/customers", {"phone": "0733000111", "whatsapp_user_id": "KE.7"})
    assert new.status == 201
    assert (await support.post("/customers", {"whatsapp_user_id": "KE.7"})).body == new.body


async def test_who_writes_later_is_the_same_customer(door, support, wanjiku):
    before = {row.person_id for row in await rows(door, conversations)}
    await door.update(envelope(text("wamid.1", "menu")))
    assert {row.person_id for row in await rows(door, conversations)} == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "malformed_body"),
        ({"name": "Wanjiku"}, 400, "malformed_body"),
        ({"phone": 254712345678}, 400, "malformed_body"),
        ({"phone": None}, 400, "malformed_body"),
        ({"phone": "0712345678", "name": ""}, 400, "malformed_body"),
        ({"phone": "0712345678", "name": "  "}, 400, "malformed_body"),
        ({"phone": "0712345678", "name": "x" * 121}, 400, "malformed_body"),
        ({"phone": "0712345678", "name": "two\nlines"}, 400, "malformed_body"),
        ({"phone": "0712345678", "name": "\0"}, 400, "malformed_body"),
        (b'{"phone": "0712345678", "name": "\\ud800"}', 400, "malformed_body"),
        ({"whatsapp_user_id": "me"}, 400, "malformed_body"),
        ({"phone": "0712345678", "email": "x@y.z"}, 400, "unknown_field"),
        ({"phone": "12"}, 422, "invalid_phone"),
        ({"phone": "020 123456"}, 422, "invalid_phone"),
        ({"phone": "0712345678'; DROP TABLE people; --"}, 422, "invalid_phone"),
    ],
)
async def test_a_customer_that_is_none_is_refused(support, body, status, code):
    answer = await support.post("/customers", body)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid_query"),
        ("?phone=0712345678&phone=0733000111", 400, "invalid_query"),
        ("?phone=0712345678&name=x", 400, "unknown_field"),
        ("?phone=", 422, "invalid_phone"),
        ("?phone=%00", 422, "invalid_phone"),
        ("?phone=0712345678&limit=201", 400, "invalid_limit"),
        ("?phone=0712345678&cursor=1", 400, "invalid_cursor"),
    ],
)
async def test_a_search_that_is_none_is_refused(support, query, status, code):
    answer = await support.get(f"/customers{query}")
    assert (answer.status, answer.code) == (status, code)


async def test_eight_at_once_make_one_customer(door, support):
    said = await asyncio.gather(*[support.post("/customers", {"phone": "0712345678"}) for _ in range(8)])
    assert sorted(each.status for each in said) == [200] * 7 + [201]
    assert len({each.raw for each in said}) == 1


# --- how they prefer to pay


async def test_nothing_is_preferred_at_first(support, wanjiku):
    empty = {
        "preferred_provider": None,
        "saved_methods": [],
        "available_providers": ["mpesa", "paystack", "stripe"],
    }
    assert (await support.get(f"{wanjiku}/payment-preferences")).body == empty
    options = (await support.get(f"{wanjiku}/checkout-options?amount=1000")).body
    assert options == empty | {
        "preferred_method": None,
        "can_change_provider": True,
        "amount": "1000.00",
        "currency": "KES",
    }


async def test_the_first_method_is_the_default_and_the_customer_is_told(door, support, wanjiku):
    body = {"provider": "mpesa", "details": PHONE}
    first = await support.post(f"{wanjiku}/payment-methods", body)
    assert (first.status, set(first.body)) == (201, {"message", "method_id", "preferences"})
    assert first.body["message"] == "M-Pesa ********0111 is saved."
    preferences = first.body["preferences"]
    assert preferences["preferred_provider"] == "mpesa"
    [method] = preferences["saved_methods"]
    assert set(method) == {"method_id", "provider", "details", "saved_at", "is_default"}
    assert (method["method_id"], method["provider"]) == (first.body["method_id"], "mpesa")
    assert (method["details"], method["is_default"]) == ({"phone_number": "********0111"}, True)
    assert method["saved_at"].endswith("Z")
    assert [row.kind for row in await rows(door, inbox)] == ["news"]
    again = await support.post(f"{wanjiku}/payment-methods", body)
    assert (again.status, again.body["method_id"]) == (200, first.body["method_id"])
    assert len(await rows(door, inbox)) == 1
    assert (await support.get(f"{wanjiku}/payment-preferences")).body == again.body["preferences"]


async def test_codes_and_tokens_are_sealed_and_shown_to_nobody(door, support, wanjiku):
    await saved(support, wanjiku, "paystack", CARD)
    await saved(support, wanjiku, "stripe", STRIPE)
    shown = await support.get(f"{wanjiku}/payment-preferences")
    assert [each["details"] for each in shown.body["saved_methods"]] == [
        {"last4": "4081", "bank": "KCB"},
        {"last4": "4242", "brand": "visa"},
    ]
    kept = repr(await rows(door, saved_methods)) + repr(await rows(door, inbox))
    for secret in (CARD["authorization_code"], STRIPE["payment_method_id"]):
        assert secret not in kept
        assert secret not in shown.raw.decode()


async def test_the_default_is_chosen_and_passes_to_the_first_that_remains(support, wanjiku):
    phone = await saved(support, wanjiku, "mpesa", PHONE)
    card = await saved(support, wanjiku, "paystack", CARD)
    other = await saved(support, wanjiku, "stripe", STRIPE, set_as_default=True)

    async def stands():
        now = (await support.get(f"{wanjiku}/payment-preferences")).body
        chosen = [each["method_id"] for each in now["saved_methods"] if each["is_default"]]
        return [each["method_id"] for each in now["saved_methods"]], chosen, now["preferred_provider"]

    assert await stands() == ([phone, card, other], [other], "stripe")
    answer = await support.put(f"{wanjiku}/payment-methods/{card}/default")
    assert (answer.status, set(answer.body)) == (200, {"message", "preferences"})
    assert await stands() == ([phone, card, other], [card], "paystack")
    answer = await support.delete(f"{wanjiku}/payment-methods/{card}")
    assert (answer.status, set(answer.body)) == (200, {"message", "preferences"})
    assert await stands() == ([phone, other], [phone], "mpesa")
    assert (await support.delete(f"{wanjiku}/payment-methods/{card}")).status == 404
    await support.delete(f"{wanjiku}/payment-methods/{other}")
    await support.delete(f"{wanjiku}/payment-methods/{phone}")
    assert (await stands())[:2] == ([], [])


async def test_the_preferred_provider_is_offered_first_and_the_default_stays(support, wanjiku):
    phone = await saved(support, wanjiku, "mpesa", PHONE)
    card = await saved(support, wanjiku, "paystack", CARD)
    answer = await support.put(f"{wanjiku}/preferred-provider", {"provider": "paystack"})
    assert (answer.status, answer.body["message"]) == (200, "Paystack is preferred from now on.")
    assert answer.body["preferences"]["preferred_provider"] == "paystack"
    options = (await support.get(f"{wanjiku}/checkout-options?amount=99.50")).body
    assert (options["amount"], options["preferred_method"]["method_id"]) == ("99.50", card)
    assert [each["method_id"] for each in options["saved_methods"] if each["is_default"]] == [phone]


async def test_a_card_is_kept_with_its_last_month_and_proposed_until_that_is_over(door, support, wanjiku):
    card = await saved(support, wanjiku, "paystack", CARD | {"expires": "2030-12"})
    phone = await saved(support, wanjiku, "mpesa", PHONE)
    options = (await support.get(f"{wanjiku}/checkout-options?amount=100")).body
    assert options["preferred_method"]["method_id"] == card
    assert options["preferred_method"]["details"] == {"last4": "4081", "bank": "KCB", "expires": "2030-12"}
    again = await support.post(
        f"{wanjiku}/payment-methods", {"provider": "paystack", "details": CARD | {"expires": "2020-01"}}
    )
    assert again.body["method_id"] == card
    options = (await support.get(f"{wanjiku}/checkout-options?amount=100")).body
    assert options["preferred_method"]["method_id"] == phone


async def test_providers_are_told_in_the_order_in_which_the_chat_offers_them(door, support, wanjiku):
    tenant = (await rows(door, tenants))[0].id
    async with door.database.transaction(tenant) as connection:
        for _ in range(5):
            await breakers.heard(Work(connection, door.vault, tenant, now()), "mpesa", "prompt", lost=True)
    await asyncio.sleep(1.1)  # every process knows it by then
    options = (await support.get(f"{wanjiku}/checkout-options?amount=100")).body
    assert options["available_providers"] == ["paystack", "stripe", "mpesa"]
    preferences = (await support.get(f"{wanjiku}/payment-preferences")).body
    assert preferences["available_providers"] == ["mpesa", "paystack", "stripe"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "malformed_body"),
        ({"provider": "cash"}, 400, "malformed_body"),
        ({"provider": None}, 400, "malformed_body"),
        ({"provider": "mpesa", "for": "me"}, 400, "unknown_field"),
        ({"provider": "pesapal"}, 422, "provider_not_configured"),
    ],
)
async def test_a_provider_that_cannot_be_preferred_is_refused(support, wanjiku, body, status, code):
    answer = await support.put(f"{wanjiku}/preferred-provider", body)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("provider", "details", "missing", "wrong"),
    [
        ("mpesa", {}, ["phone_number"], []),
        ("mpesa", {"phone_number": None}, ["phone_number"], []),
        ("mpesa", {"phone_number": "12"}, [], ["phone_number"]),
        ("mpesa", {"phone_number": "+447911123456"}, [], ["phone_number"]),
        ("mpesa", {"phone_number": 712345678}, [], ["phone_number"]),
        ("mpesa", PHONE | {"name": "x"}, [], ["name"]),
        ("paystack", {}, ["authorization_code", "last4", "bank"], []),
        ("paystack", CARD | {"last4": "408"}, [], ["last4"]),
        ("paystack", CARD | {"last4": "٤٠٨١"}, [], ["last4"]),
        ("paystack", CARD | {"authorization_code": "4084 0840 8408 4081"}, [], ["authorization_code"]),
        ("paystack", CARD | {"bank": "4084084084084081"}, [], ["bank"]),
        ("paystack", CARD | {"bank": "K\nCB"}, [], ["bank"]),
        ("stripe", {"payment_method_id": "pm_1"}, ["last4", "brand"], []),
        ("stripe", STRIPE | {"brand": "x" * 31}, [], ["brand"]),
    ],
)
async def test_details_that_are_not_right_are_named(
    door, support, wanjiku, provider, details, missing, wrong
):
    body = {"provider": provider, "details": details}
    answer = await support.post(f"{wanjiku}/payment-methods", body)
    assert (answer.status, answer.code) == (422, "invalid_method_details")
    assert (answer.body["missing"], answer.body["wrong"]) == (missing, wrong)
    assert all(name in answer.body["detail"] for name in missing + wrong)
    assert await rows(door, saved_methods) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"provider": "cash", "details": {}}, 400, "malformed_body"),
        ({"provider": "mpesa"}, 400, "malformed_body"),
        ({"provider": "mpesa", "details": "x"}, 400, "malformed_body"),
        ({"provider": "mpesa", "details": PHONE, "set_as_default": "yes"}, 400, "malformed_body"),
        ({"provider": "mpesa", "details": PHONE, "default": True}, 400, "unknown_field"),
        ({"provider": "pesapal", "details": {}}, 422, "provider_not_configured"),
    ],
)
async def test_a_method_that_is_none_is_refused(support, wanjiku, body, status, code):
    answer = await support.post(f"{wanjiku}/payment-methods", body)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    "amount", ["", "?amount=", "?amount=0", "?amount=-1", "?amount=10.999", "?amount=1e3"]
)
async def test_options_take_an_amount(support, wanjiku, amount):
    answer = await support.get(f"{wanjiku}/checkout-options{amount}")
    assert (answer.status, answer.code) == (400, "invalid_amount")


@pytest.mark.parametrize("wrong", [ABSENT, "x", "%00"])
async def test_whoever_is_not_there_is_404_on_every_call(support, wanjiku, wrong):
    method = await saved(support, wanjiku, "mpesa", PHONE)
    for who, what in ((f"/customers/{wrong}", method), (wanjiku, wrong)):
        said = [
            await support.delete(f"{who}/payment-methods/{what}"),
            await support.put(f"{who}/payment-methods/{what}/default"),
        ]
        assert [(each.status, each.code) for each in said] == [(404, "not_found")] * 2
    absent = f"/customers/{wrong}"
    said = [
        await support.get(f"{absent}/payment-preferences"),
        await support.get(f"{absent}/checkout-options?amount=1"),
        await support.put(f"{absent}/preferred-provider", {"provider": "pesapal"}),
        await support.post(f"{absent}/payment-methods", {"provider": "pesapal", "details": {}}),
    ]
    assert [(each.status, each.code) for each in said] == [(404, "not_found")] * 4


async def test_another_tenants_customer_and_anothers_method_are_404(door, support, wanjiku):
    method = await saved(support, wanjiku, "mpesa", PHONE)
    other = await caller(door, await door.open_shop("106540352242999", more=MORE), "Atieno")
    assert (await other.get(f"{wanjiku}/payment-preferences")).status == 404
    assert (await other.delete(f"{wanjiku}/payment-methods/{method}")).status == 404
    assert (await other.get("/customers?phone=0712345678")).body["count"] == 0
    otieno = (await support.post("/customers", {"phone": "0733000222"})).body["id"]
    assert (await support.delete(f"/customers/{otieno}/payment-methods/{method}")).status == 404


async def test_who_lacks_the_scope_sees_no_customer(door, support, wanjiku):
    tenant = (await rows(door, people))[0].tenant_id
    manager = await caller(door, tenant, "Kamau")
    said = [
        await manager.get("/customers"),
        await manager.post("/customers", b"{"),
        await manager.get(f"{wanjiku}/payment-preferences"),
        await manager.put(f"{wanjiku}/preferred-provider", b"{"),
        await manager.delete(f"{wanjiku}/payment-methods/x"),
    ]
    assert {(each.status, each.code) for each in said} == {(403, "missing_scope")}
    assert {each.body["required_scope"] for each in said} == {"conversations:view"}


async def test_saving_at_once_keeps_one_default(door, support, wanjiku):
    cards = [CARD | {"authorization_code": f"AUTH_{n}"} for n in range(4)] * 2
    said = await asyncio.gather(
        *[
            support.post(
                f"{wanjiku}/payment-methods",
                {"provider": "paystack", "details": card, "set_as_default": True},
            )
            for card in cards
        ]
    )
    assert sorted(each.status for each in said) == [200] * 4 + [201] * 4
    assert [row.is_default for row in await rows(door, saved_methods)].count(True) == 1
