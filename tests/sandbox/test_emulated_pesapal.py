"""The emulated Pesapal opens pages, is asked what became of them, and tells that something has changed."""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.sandbox.world import PesapalAccount

KEYS = {"consumer_key": "pesapal-key", "consumer_secret": "pesapal-secret"}
REFERENCE = "019acf00-0000-7000-8000-000000000004"
ORDER = {
    "id": REFERENCE,
    "currency": "KES",
    "amount": 1250.5,
    "description": "Mama Njeri Duka, order L-17",
    "callback_url": "http://127.0.0.1:9/pay/p1?x=1",
    "cancellation_url": "http://127.0.0.1:9/pay/left",
    "billing_address": {"phone_number": "254712345678"},
}


@pytest.fixture
def world(world):
    accounts = (
        PesapalAccount("MAMA NJERI DUKA", "pesapal-key", "pesapal-secret"),
        PesapalAccount("ANOTHER", "other-key", "other-secret", ("KES",)),
    )
    return replace(world, pesapal=accounts)


class Client:
    def __init__(self, sandbox):
        self.sandbox, self.token = sandbox, ""

    async def log_in(self, keys=KEYS):
        status, told = await self.sandbox.post("/pesapal/api/Auth/RequestToken", keys)
        self.token = told.get("token", "")
        return status, told

    async def post(self, path, body):
        return await self.sandbox.post(f"/pesapal/api/{path}", body, self.token)

    async def get(self, path):
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.sandbox.url}/pesapal/api/{path}"
        async with self.sandbox.session.get(url, headers=headers) as answer:
            return answer.status, await answer.json()

    async def register(self, kind="POST", path="hooks/ab"):
        body = {"url": f"{self.sandbox.app_url}/{path}", "ipn_notification_type": kind}
        return await self.post("URLSetup/RegisterIPN", body)

    async def order(self, kind="POST", **changes):
        await self.log_in()
        _, ipn = await self.register(kind)
        return await self.post(
            "Transactions/SubmitOrderRequest", ORDER | {"notification_id": ipn["ipn_id"]} | changes
        )

    async def opened(self, **changes):
        status, told = await self.order(**changes)
        assert (status, told["status"]) == (200, "200"), told
        return told

    async def status(self, tracking_id):
        return await self.get(f"Transactions/GetTransactionStatus?orderTrackingId={tracking_id}")

    async def page(self, url, how=None):
        """(status, text, where the browser goes)"""
        sends = {"data": {"how": how}} if how else {}
        method = "POST" if how else "GET"
        async with self.sandbox.session.request(method, url, allow_redirects=False, **sends) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location")


@pytest.fixture
def pesapal(sandbox):
    return Client(sandbox)


# --- tokens


async def test_a_token_ends_by_the_clock_and_says_when(sandbox, pesapal):
    _, told = await pesapal.log_in()
    assert datetime.fromisoformat(told["expiryDate"]) == sandbox.clock() + timedelta(minutes=5)
    assert (await pesapal.get("URLSetup/GetIpnList"))[0] == 200
    sandbox.clock.forward(timedelta(minutes=5))
    status, told = await pesapal.get("URLSetup/GetIpnList")
    assert (status, told["error"]["message"]) == (500, "Invalid Access Token")


async def test_wrong_keys_are_an_error_inside_200(pesapal):
    for keys in ({}, KEYS | {"consumer_secret": "x"}, {"consumer_key": "other-key"}):
        status, told = await pesapal.log_in(keys)
        assert (status, told["error"]["code"]) == (200, "invalid_consumer_key_or_secret_provided")


async def test_a_token_can_be_killed(sandbox, pesapal):
    await pesapal.log_in()
    await sandbox.arm("pesapal.ipn", "token")
    assert (await pesapal.register())[0] == 500
    assert (await pesapal.get("URLSetup/GetIpnList"))[0] == 500


# --- addresses of notifications


async def test_an_address_is_registered_and_listed_for_its_merchant_alone(sandbox, pesapal):
    await pesapal.log_in()
    _, told = await pesapal.register()
    assert (told["ipn_status"], told["ipn_notification_type_description"]) == (1, "POST")
    _, listed = await pesapal.get("URLSetup/GetIpnList")
    assert [each["ipn_id"] for each in listed] == [told["ipn_id"]]
    await pesapal.log_in({"consumer_key": "other-key", "consumer_secret": "other-secret"})
    assert await pesapal.get("URLSetup/GetIpnList") == (200, [])
    body = ORDER | {"notification_id": told["ipn_id"]}
    _, refused = await pesapal.post("Transactions/SubmitOrderRequest", body)
    assert refused["error"]["code"] == "InvalidIpnId"


async def test_addresses_can_be_deleted_there(sandbox, pesapal):
    await pesapal.log_in()
    await pesapal.register()
    async with sandbox.session.delete(f"{sandbox.url}/control/pesapal/ipns") as answer:
        assert answer.status == 200
    assert await pesapal.get("URLSetup/GetIpnList") == (200, [])


@pytest.mark.parametrize("body", [{}, {"url": "x", "ipn_notification_type": "GET"}, {"url": "http://a"}])
async def test_a_wrong_address_is_refused(pesapal, body):
    await pesapal.log_in()
    status, told = await pesapal.post("URLSetup/RegisterIPN", body)
    assert (status, told["error"]["code"]) == (500, "invalid_api_request_parameters")


# --- orders and their page


async def test_an_order_that_nobody_has_paid_is_told_as_an_error(pesapal):
    told = await pesapal.opened()
    assert told["merchant_reference"] == REFERENCE
    status, of = await pesapal.status(told["order_tracking_id"])
    assert (status, of["status"], of["status_code"]) == (200, "500", 0)
    assert of["error"]["code"] == "payment_details_not_found"
    assert of["created_date"] == "2026-11-24T12:00:00.43"


@pytest.mark.parametrize(
    ("how", "method", "payer"), [("mpesa", "MpesaKE", "2547xxx45678"), ("card", "Visa", "4761XXXXXXXX0010")]
)
async def test_it_is_paid_on_its_page_and_the_browser_comes_back(sandbox, pesapal, wait, how, method, payer):
    told = await pesapal.opened()
    _, text, _ = await pesapal.page(told["redirect_url"])
    assert "KES 1,250.50" in text
    assert "order L-17" in text
    status, _, location = await pesapal.page(told["redirect_url"], how)
    assert status == 303
    assert location.startswith("http://127.0.0.1:9/pay/p1?x=1&")
    assert parse_qs(urlsplit(location).query) == {
        "x": ["1"],
        "OrderTrackingId": [told["order_tracking_id"]],
        "OrderMerchantReference": [REFERENCE],
        "OrderNotificationType": ["CALLBACKURL"],
    }
    _, of = await pesapal.status(told["order_tracking_id"])
    assert (of["status_code"], of["amount"], of["currency"]) == (1, 1250.5, "KES")
    assert (of["payment_method"], of["payment_account"]) == (method, payer)
    await wait(lambda: sandbox.app.callbacks)
    _, text, _ = await pesapal.page(told["redirect_url"])
    assert "closed" in text
    assert (await pesapal.page(told["redirect_url"], how))[0] == 409


async def test_one_that_failed_can_be_paid_after_all(pesapal):
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "fail")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 2
    await pesapal.page(told["redirect_url"], "card")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 1


async def test_who_goes_back_changes_nothing(sandbox, pesapal):
    told = await pesapal.opened()
    _, _, location = await pesapal.page(told["redirect_url"], "cancel")
    assert location.startswith("http://127.0.0.1:9/pay/left?OrderTrackingId=")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 0
    assert sandbox.app.callbacks == []


async def test_an_order_is_canceled_once_and_only_while_it_is_open(pesapal):
    told = await pesapal.opened()
    body = {"order_tracking_id": told["order_tracking_id"]}
    assert (await pesapal.post("Transactions/CancelOrder", body))[1]["status"] == "200"
    assert (await pesapal.post("Transactions/CancelOrder", body))[1]["status"] == "500"
    assert (await pesapal.page(told["redirect_url"], "mpesa"))[0] == 409


async def test_an_id_is_taken_once(pesapal):
    await pesapal.opened()
    status, told = await pesapal.order()
    assert (status, told["error"]["code"]) == (200, "duplicate_order")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": "a" * 51}, "invalid_api_request_parameters"),
        ({"id": "a b"}, "invalid_api_request_parameters"),
        ({"amount": "1250.50"}, "invalid_api_request_parameters"),
        ({"amount": 0}, "invalid_api_request_parameters"),
        ({"amount": True}, "invalid_api_request_parameters"),
        ({"description": "x" * 101}, "invalid_api_request_parameters"),
        ({"billing_address": {}}, "invalid_api_request_parameters"),
        ({"callback_url": None}, "invalid_api_request_parameters"),
        ({"currency": "NGN"}, "invalid_currency"),
        ({"notification_id": "x"}, "InvalidIpnId"),
    ],
)
async def test_an_order_that_cannot_be_is_refused(sandbox, pesapal, changes, code):
    _, told = await pesapal.order(**changes)
    assert (told["status"], told["error"]["code"]) == ("500", code)
    assert (await sandbox.look("pesapal/orders"))["orders"] == []


async def test_an_order_of_another_merchant_is_not_known(pesapal):
    told = await pesapal.opened()
    await pesapal.log_in({"consumer_key": "other-key", "consumer_secret": "other-secret"})
    _, of = await pesapal.status(told["order_tracking_id"])
    assert of["error"]["code"] == "invalid_order_tracking_id"


# --- notifications


def ipn(told):
    return {
        "OrderTrackingId": told["order_tracking_id"],
        "OrderMerchantReference": REFERENCE,
        "OrderNotificationType": "IPNCHANGE",
    }


@pytest.mark.parametrize("kind", ["GET", "POST"])
async def test_a_change_is_told_without_an_outcome(sandbox, pesapal, wait, kind):
    _, told = await pesapal.order(kind)
    await pesapal.page(told["redirect_url"], "mpesa")
    await wait(lambda: sandbox.app.callbacks)
    assert sandbox.app.callbacks == [("/hooks/ab", ipn(told))]
    assert (sandbox.app.raw[0][0] == b"") is (kind == "GET")


async def test_it_is_told_until_it_is_taken(sandbox, pesapal, wait):
    sandbox.app.statuses_to_answer = [503, 200]  # the second is 200 without the words
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "mpesa")
    await wait(lambda: len(sandbox.app.callbacks) == 3)


@pytest.mark.parametrize(("fault", "number"), [("twice", 2), ("forged", 2), ("other_way", 1)])
async def test_what_can_go_wrong_with_it(sandbox, pesapal, wait, fault, number):
    await sandbox.arm("pesapal.notice", fault)
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "mpesa")
    await wait(lambda: len(sandbox.app.callbacks) == number)
    assert sandbox.app.callbacks[-1][1] == ipn(told)
    assert (sandbox.app.callbacks[0][1] == ipn(told)) is (fault != "forged")


async def test_it_can_be_lost_or_come_before_the_answer(sandbox, pesapal):
    await sandbox.arm("pesapal.notice", "lost")
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "mpesa")
    assert sandbox.app.callbacks == []
    await sandbox.arm("pesapal.order", "callback_first")
    await pesapal.opened(id="another")
    assert len(sandbox.app.callbacks) == 1


# --- faults


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [("500", 500, 0), ("spike", 429, 0), ("limit", 200, 0), ("500_after", 500, 1)],
)
async def test_an_order_that_is_refused_before_or_after_it_was_taken(sandbox, pesapal, fault, status, made):
    await sandbox.arm("pesapal.order", fault)
    found, told = await pesapal.order()
    assert (found, "error" in told) == (status, True)
    assert len((await sandbox.look("pesapal/orders"))["orders"]) == made


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("other_amount", {"amount": 1251.5}),
        ("other_currency", {"currency": "USD"}),
        ("other_order", {"merchant_reference": "another-order"}),
        ("unheard", {"status_code": 7}),
        ("contradictory", {"status_code": 1, "payment_status_description": "Failed"}),
        ("fail", {"status_code": 2}),
        ("abandon", {"status_code": 0}),
    ],
)
async def test_what_became_of_it_can_be_told_wrongly(sandbox, pesapal, fault, wrong):
    await sandbox.arm("pesapal.outcome", fault)
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "mpesa")
    _, of = await pesapal.status(told["order_tracking_id"])
    assert wrong.items() <= of.items()


# --- refunds


async def refund(pesapal, told, **changes):
    _, of = await pesapal.status(told["order_tracking_id"])
    body = {
        "confirmation_code": of["confirmation_code"],
        "amount": "1250.50",
        "username": "a",
        "remarks": "b",
    }
    return (await pesapal.post("Transactions/RefundRequest", body | changes))[1]


async def test_a_refund_waits_for_the_merchant_and_is_asked_for_once(sandbox, pesapal, wait):
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "mpesa")
    await wait(lambda: sandbox.app.callbacks)
    assert (await refund(pesapal, told, amount="10"))["status"] == "500"
    assert (await refund(pesapal, told))["status"] == "200"
    assert "already" in (await refund(pesapal, told))["message"]
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 1
    (shown,) = (await sandbox.look("payouts"))["payouts"]
    assert (shown["state"], shown["amount"]) == ("queued", "1250.5")
    await sandbox.act(f"payouts/{told['order_tracking_id']}", outcome="succeed")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 3
    await wait(lambda: len(sandbox.app.callbacks) == 2)


async def test_the_merchant_may_not_agree(sandbox, pesapal):
    told = await pesapal.opened()
    await pesapal.page(told["redirect_url"], "card")
    assert (await refund(pesapal, told, amount="10"))["status"] == "200"
    await sandbox.act(f"payouts/{told['order_tracking_id']}", outcome="fail")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 1


async def test_pesapal_gives_one_back_by_itself(sandbox, pesapal):
    told = await pesapal.opened()
    path = f"pesapal/orders/{told['order_tracking_id']}"
    assert (await sandbox.post(f"/control/{path}", {"outcome": "give_back"}))[0] == 409
    await sandbox.act(path, outcome="mpesa")
    await sandbox.act(path, outcome="give_back")
    assert (await pesapal.status(told["order_tracking_id"]))[1]["status_code"] == 3


async def test_a_reset_forgets_orders_and_not_the_addresses(sandbox, pesapal):
    await pesapal.opened()
    await sandbox.act("reset")
    assert (await sandbox.look("pesapal/orders"))["orders"] == []
    assert len((await pesapal.get("URLSetup/GetIpnList"))[1]) == 1
