"""Pages of Pesapal: what goes over the wire, and what each answer to it means."""

import asyncio
import dataclasses

import pytest

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Charges, OpensPages, PaysOut, Prompts, ProvesKeys
from services.providers.base import Accepted, Misconfigured, NotSent, Refused, Unknown
from services.providers.refunds import Refunds
from tests.services.providers.pesapal_rig import ATTEMPT, IPN_ID, PAGE, REFERENCE, TRACKING, rigged
from tests.services.providers.stub_daraja import drops, says_raw, sends_half
from tests.services.providers.stub_pesapal import (
    CANCEL,
    LIST,
    ORDER,
    REGISTER,
    STATUS,
    TOKEN,
    recorded,
    says,
)


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


def refused(message, code="api_error", status="500"):
    return {"error": {"error_type": "api_error", "code": code, "message": message}, "status": status}


# --- the wire


async def test_an_order_of_exactly_this_amount_is_opened_under_our_id(rig):
    answer = await rig.pesapal.open_page(PAGE)
    assert rig.stub.asked[TOKEN] == [{"consumer_key": "the-key", "consumer_secret": "the-secret"}]
    assert rig.stub.asked[ORDER] == [
        {
            "id": str(ATTEMPT),
            "currency": "KES",
            "amount": 1250.5,
            "description": "Mama Njeri Duka, order L-17",
            "callback_url": "https://pay.example/pay/p1",
            "cancellation_url": "https://pay.example/pay/p1",
            "redirect_mode": "TOP_WINDOW",
            "notification_id": IPN_ID,
            "billing_address": {
                "email_address": "nobody@pay.example",
                "phone_number": "254712345678",
                "country_code": "KE",
            },
        }
    ]
    assert set(rig.stub.authorizations) == {"Bearer token-1"}
    assert isinstance(answer, Accepted)
    assert (answer.reference, answer.second_reference, answer.told) == (REFERENCE, TRACKING, None)
    assert answer.page == recorded("order")["redirect_url"]
    assert "pesapaliframe" not in repr(answer)


def test_it_can_do_these_things_and_no_others(rig):
    able = [isinstance(rig.pesapal, ability) for ability in (OpensPages, Refunds, ProvesKeys)]
    unable = [isinstance(rig.pesapal, ability) for ability in (Charges, Prompts, PaysOut)]
    assert (able, unable) == ([True] * 3, [False] * 3)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(1250_00, "KES"), 1250),
        (Money(1_10, "KES"), 1.1),
        (Money(99_999_999_99, "KES"), 99_999_999.99),
        (Money(4500, "UGX"), 4500),
        (Money(12_34, "USD"), 12.34),
    ],
)
async def test_the_amount_is_the_very_decimal(rig, amount, written):
    await rig.pesapal.open_page(dataclasses.replace(PAGE, amount=amount))
    assert rig.stub.asked[ORDER][0]["amount"] == written


async def test_a_customer_without_a_number_and_a_long_description(rig):
    about = "Mama\nNjeri " + "ü" * 200
    await rig.pesapal.open_page(dataclasses.replace(PAGE, phone=None, about=about))
    (order,) = rig.stub.asked[ORDER]
    assert order["billing_address"] == {"email_address": "nobody@pay.example"}
    assert (len(order["description"]), order["description"][:12]) == (100, "Mama Njeri ü")


async def test_a_currency_that_it_does_not_take_is_kept_off_the_wire(rig):
    answer = await rig.pesapal.open_page(dataclasses.replace(PAGE, amount=Money(500_00, "NGN")))
    assert isinstance(answer, Refused)
    assert dict(rig.stub.asked) == {}


async def test_a_page_is_closed_by_their_id_and_nothing_is_raised(rig):
    await rig.pesapal.close_page(REFERENCE)
    assert rig.stub.asked[CANCEL] == [{"order_tracking_id": TRACKING}]
    for answer in (says({"status": "500", "message": "Already paid"}), drops, says_raw(b"<html>", 503)):
        rig.stub.will(CANCEL, answer)
        await rig.pesapal.close_page(REFERENCE)
    await rig.make("http://127.0.0.1:9").close_page(REFERENCE)


# --- the token


async def test_one_token_serves_until_it_ends(rig):
    await rig.pesapal.open_page(PAGE)
    await rig.pesapal.check(REFERENCE)
    assert len(rig.stub.asked[TOKEN]) == 1
    assert rig.tokens.seconds == 300


@pytest.mark.parametrize(
    ("expiry", "seconds"),
    [
        ("2026-11-29T13:00:00.1234567Z", 3600),
        ("2026-11-29T12:10:00", 600),
        ("2026-11-29T15:10:00+03:00", 600),
        ("2026-11-29T11:00:00Z", 0),
        ("soon", 300),
        (None, 300),
        (3600, 300),
    ],
)
async def test_how_long_it_lives_is_told_in_utc(rig, expiry, seconds):
    rig.stub.expiry = expiry
    assert await rig.pesapal.prove_keys() is None
    assert rig.tokens.seconds == seconds


@pytest.mark.parametrize(
    "answer",
    [
        says("error_token", 401),
        says("error_token"),
        says("error_token", 500),
        says(refused("The token has expired")),
        says({}, 401),
    ],
)
async def test_a_token_that_is_called_invalid_is_fetched_anew_once(rig, answer):
    await rig.pesapal.prove_keys()
    rig.stub.will(ORDER, answer, says("order"))
    assert isinstance(await rig.pesapal.open_page(PAGE), Accepted)
    assert rig.tokens.dropped == ["token-1"]
    assert rig.stub.authorizations[-2:] == ["Bearer token-1", "Bearer token-2"]
    rig.stub.will(ORDER, answer)
    assert isinstance(await rig.pesapal.open_page(PAGE), Misconfigured)
    assert len(rig.stub.asked[ORDER]) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says("error_keys"), Misconfigured),
        (says("error_keys", 500), Misconfigured),
        (says({}, 401), Misconfigured),
        (says({}, 500), NotSent),
        (says({"status": "200", "token": ""}), NotSent),
        (says({"status": "500", "token": "a"}), NotSent),
        (says_raw(b"[]"), NotSent),
        (says_raw(b"<html>"), NotSent),
        (drops, NotSent),
        (sends_half, NotSent),
    ],
)
async def test_without_a_token_nothing_was_sent(rig, answer, kind):
    rig.stub.will(TOKEN, answer)
    assert isinstance(await rig.pesapal.prove_keys(), kind)
    assert isinstance(await rig.pesapal.open_page(PAGE), kind)
    assert set(rig.stub.asked) == {TOKEN}


async def test_where_nobody_listens_nothing_was_sent(rig):
    assert isinstance(await rig.make("http://127.0.0.1:9").open_page(PAGE), NotSent)
    await rig.pesapal.open_page(PAGE)  # a token and a notification id are kept
    assert isinstance(await rig.make("http://127.0.0.1:9").open_page(PAGE), NotSent)


# --- the notification id


async def test_an_address_that_is_known_there_is_not_registered_again_nor_asked_for_each_time(rig):
    await rig.pesapal.open_page(PAGE)
    await rig.pesapal.open_page(PAGE)
    assert (len(rig.stub.asked[LIST]), len(rig.stub.asked[REGISTER])) == (1, 0)
    (kept,) = rig.tokens.others.values()
    assert (kept.token, kept.seconds) == (IPN_ID, 30 * 24 * 3600)


@pytest.mark.parametrize(
    "listed",
    [
        [],
        recorded("ipn_list")[:1],
        [recorded("ipn_list")[1] | {"ipn_status": 0}],
        [recorded("ipn_list")[1] | {"ipn_id": None}],
    ],
)
async def test_one_that_is_not_is_registered(rig, listed):
    rig.stub.will(LIST, says(listed))
    rig.stub.will(REGISTER, says("ipn_registered"))
    await rig.pesapal.open_page(PAGE)
    assert rig.stub.asked[REGISTER] == [{"url": PAGE.ipn_url, "ipn_notification_type": "POST"}]
    assert rig.stub.asked[ORDER][0]["notification_id"] == recorded("ipn_registered")["ipn_id"]


async def test_two_addresses_are_two(rig):
    rig.stub.will(REGISTER, says("ipn_registered"))
    await rig.pesapal.open_page(PAGE)
    await rig.pesapal.open_page(dataclasses.replace(PAGE, ipn_url="https://pay.example/hooks/ef56"))
    first, second = (order["notification_id"] for order in rig.stub.asked[ORDER])
    assert first != second


async def test_one_that_was_deleted_there_is_found_anew_and_the_same_order_sent(rig):
    rig.stub.will(ORDER, says("error_ipn"), says("order"))
    rig.stub.will(LIST, says("ipn_list"), says([]))
    rig.stub.will(REGISTER, says("ipn_registered"))
    assert isinstance(await rig.pesapal.open_page(PAGE), Accepted)
    first, second = rig.stub.asked[ORDER]
    assert first["notification_id"] == IPN_ID
    assert second == first | {"notification_id": recorded("ipn_registered")["ipn_id"]}


async def test_one_that_is_never_known_is_a_fault_of_the_settings(rig):
    rig.stub.will(ORDER, says("error_ipn"))
    assert isinstance(await rig.pesapal.open_page(PAGE), Misconfigured)
    assert len(rig.stub.asked[ORDER]) == 2


@pytest.mark.parametrize(
    ("listed", "registered", "kind"),
    [
        (drops, says("ipn_registered"), NotSent),
        (says({}, 500), says("ipn_registered"), NotSent),
        (says({"status": "500", "error": None}), says("ipn_registered"), NotSent),
        (says_raw(b"[1]"), says("ipn_registered"), NotSent),
        (says([]), drops, NotSent),
        (says([]), sends_half, NotSent),
        (says([]), says({"status": "200", "ipn_id": None}), NotSent),
        (says([]), says("error_parameters", 500), NotSent),
        (says([]), says({}, 403), Misconfigured),
    ],
)
async def test_without_a_notification_id_nothing_was_ordered(rig, listed, registered, kind):
    rig.stub.will(LIST, listed)
    rig.stub.will(REGISTER, registered)
    assert isinstance(await rig.pesapal.open_page(PAGE), kind)
    assert rig.stub.asked[ORDER] == []


# --- an order that is not accepted


@pytest.mark.parametrize(
    "answer",
    [
        says({"status": "500", "message": "Oops"}, 500),
        says(refused("Oops", "unknown_error"), 502),
        says(refused("busy"), 408),
        says(refused("busy"), 409),
        says_raw(b"<html>503</html>", 503),
        says_raw(b"<html>fine?</html>"),
        says([]),
        says({"status": "500"}),
        says({"status": "200"}),
        says(recorded("order", order_tracking_id=None)),
        says(recorded("order", order_tracking_id="a/b")),
        says(recorded("order", merchant_reference="another")),
        says(recorded("order", redirect_url=None)),
        says(recorded("order", redirect_url="javascript:alert(1)")),
        says(recorded("order", redirect_url="https://[")),
        says(recorded("order", redirect_url="https://a b")),
        says(refused("Duplicate merchant reference", "duplicate_id")),
        says(refused("The id exists already")),
        drops,
        sends_half,
    ],
)
async def test_what_may_have_been_opened_is_unknown_and_not_sent_twice(rig, answer):
    rig.stub.will(ORDER, answer)
    assert isinstance(await rig.pesapal.open_page(PAGE), Unknown)
    assert len(rig.stub.asked[ORDER]) == 1


async def test_an_order_that_is_not_answered_in_time_is_unknown(rig):
    await rig.pesapal.open_page(PAGE)

    async def never(_request):
        await asyncio.sleep(5)

    rig.stub.will(ORDER, never)
    assert isinstance(await rig.make(total=0.1).open_page(PAGE), Unknown)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, recorded("error_limit"), Misconfigured),
        (500, recorded("error_limit"), Misconfigured),
        (200, refused("Test transactions exceeded", "test_transactions_exceeded"), Misconfigured),
        (200, refused("The currency is not enabled for this merchant"), Misconfigured),
        (200, recorded("error_keys"), Misconfigured),
        (403, {}, Misconfigured),
        (429, {}, NotSent),
        (200, recorded("error_parameters"), Refused),
        (500, recorded("error_parameters"), Refused),
        (400, {"error": "Something that nobody has heard of"}, Refused),
    ],
)
async def test_a_no_and_whose_fault_it_is(rig, status, body, kind):
    rig.stub.will(ORDER, says(body, status))
    answer = await rig.pesapal.open_page(PAGE)
    assert isinstance(answer, kind)
    if kind is Refused:
        assert answer.because is Unpaid.PROVIDER


async def test_keys_and_tokens_are_in_no_repr(rig):
    await rig.pesapal.open_page(PAGE)
    for told in (PAGE, rig.pesapal, rig.stub.asked[STATUS]):
        assert "the-secret" not in repr(told)
        assert "hooks" not in repr(told)
