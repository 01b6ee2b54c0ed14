"""The emulated Stripe's hosted page, its events and their faults, and what its dashboard and banks do."""

import json

import aiohttp
import pytest

from tests.sandbox.stripes import KEY, SLUG, told, with_stripe

PAGE = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "kes",
    "line_items[0][price_data][unit_amount]": "95000",
    "line_items[0][price_data][product_data][name]": "Unga <2 kg>",
    "line_items[0][quantity]": "1",
    "metadata[attempt]": "ours",
    "payment_intent_data[setup_future_usage]": "off_session",
    "customer_creation": "always",
    "success_url": "https://example.org/back",
    "cancel_url": "https://example.org/turned-back",
}
PAID = ["customer.created", "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]
ASKS = "4000002760003184"


@pytest.fixture
def world(world):
    return with_stripe(world)


class Client:
    def __init__(self, sandbox):
        self.sandbox = sandbox

    async def post(self, path, form, key=KEY, **headers):
        url = f"{self.sandbox.url}/stripe/v1/{path}"
        given = {"Authorization": f"Bearer {key}", **headers}
        async with self.sandbox.session.post(url, data=form, headers=given) as answer:
            return answer.status, await answer.json()

    async def get(self, path, key=KEY):
        url = f"{self.sandbox.url}/stripe/v1/{path}"
        async with self.sandbox.session.get(url, headers={"Authorization": f"Bearer {key}"}) as answer:
            return answer.status, await answer.json()

    async def open(self, **changes):
        status, body = await self.post("checkout/sessions", PAGE | changes)
        assert status == 200, body
        return body

    async def paid(self, **changes):
        """The payment of a page that was paid."""
        session = await self.open(**changes)
        await self.act(session, outcome="pay")
        return (await self.session(session))["payment_intent"]

    async def session(self, session):
        return (await self.get(f"checkout/sessions/{session['id']}"))[1]

    async def act(self, session, **body):
        return await self.sandbox.act(f"stripe/sessions/{session['id']}", **body)

    async def page(self, session, form=None):
        """(status, words, where it leads) of the hosted page, looked at or answered."""
        ask = self.sandbox.session.get if form is None else self.sandbox.session.post
        more = {} if form is None else {"data": form}
        async with ask(session["url"], allow_redirects=False, **more) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location")


@pytest.fixture
def stripe(sandbox):
    return Client(sandbox)


async def kinds(sandbox, wait, number):
    await wait(lambda: len(sandbox.app.raw) >= number)
    return [kind for kind, _ in told(sandbox)]


# --- the page


async def test_the_page_shows_what_is_paid_and_leads_back_when_it_is(sandbox, stripe, wait):
    session = await stripe.open()
    status, words, _ = await stripe.page(session)
    assert status == 200
    assert "Unga &lt;2 kg&gt;" in words
    assert "KES 950" in words
    assert 'href="https://example.org/turned-back"' in words
    status, _, back = await stripe.page(session, {"card": "4242 4242 4242 4242"})
    assert (status, back) == (303, "https://example.org/back")
    assert await kinds(sandbox, wait, 4) == PAID
    done = told(sandbox)[3][1]
    assert (done["status"], done["payment_status"], done["metadata"]) == (
        "complete",
        "paid",
        {"attempt": "ours"},
    )
    assert sandbox.app.callbacks[0][0] == f"/hooks/stripe/{SLUG}"
    status, words, _ = await stripe.page(session)
    assert "This is paid already" in words
    assert (await stripe.page(session, {"card": "4242424242424242"}))[0] == 410


async def test_its_form_may_go_to_itself_and_back_to_the_shop_only(sandbox, stripe):
    session = await stripe.open()
    async with sandbox.session.get(session["url"]) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://example.org" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "insufficient funds"),
        ("4000000000000069", "expired"),
        ("4000000000000001", "number is incorrect"),
    ],
)
async def test_a_declined_card_leaves_the_page_open_for_another(sandbox, stripe, wait, card, words):
    session = await stripe.open()
    status, shown, _ = await stripe.page(session, {"card": card})
    assert status == 402
    assert words in shown
    assert (await stripe.session(session))["status"] == "open"
    assert (await stripe.page(session, {"card": "4242424242424242"}))[0] == 303
    expected = {"checkout.session.completed"}
    if card != "4000000000000001":  # of which there is no card to ask
        expected.add("payment_intent.payment_failed")
    await wait(lambda: expected <= {kind for kind, _ in told(sandbox)})  # they come in any order
    assert ("payment_intent.payment_failed" in expected) == (
        "payment_intent.payment_failed" in await kinds(sandbox, wait, 4)
    )


async def test_a_bank_that_asks_is_answered_on_a_page_of_its_own(stripe):
    session = await stripe.open()
    status, words, _ = await stripe.page(session, {"card": ASKS})
    assert (status, "is it you" in words) == (200, True)
    status, words, _ = await stripe.page(session, {"card": ASKS, "proven": "0"})
    assert (status, "could not tell" in words) == (200, True)
    assert (await stripe.session(session))["payment_status"] == "unpaid"
    assert (await stripe.page(session, {"card": ASKS, "proven": "1"}))[0] == 303


async def test_who_turns_back_may_come_again_until_the_page_ends(sandbox, stripe, wait):
    session = await stripe.open()
    await stripe.page(session)
    await sandbox.act("clock", hours=25)
    assert await kinds(sandbox, wait, 1) == ["checkout.session.expired"]
    assert "no longer open" in (await stripe.page(session))[1]
    assert (await stripe.page(session, {"card": "4242424242424242"}))[0] == 410


async def test_a_bank_that_takes_its_time_pays_or_does_not(sandbox, stripe, wait):
    for outcome, state, kind in (
        ("succeed", "paid", "checkout.session.async_payment_succeeded"),
        ("fail", "unpaid", "checkout.session.async_payment_failed"),
    ):
        sandbox.app.raw.clear()
        session = await stripe.open()
        assert (await stripe.page(session, {"later": "1"}))[0] == 303
        waits = await stripe.session(session)
        assert (waits["status"], waits["payment_status"]) == ("complete", "unpaid")
        await stripe.act(session, outcome=outcome)
        assert kind in await kinds(sandbox, wait, 5)
        assert (await stripe.session(session))["payment_status"] == state
        status, _ = await sandbox.post(f"/control/stripe/sessions/{session['id']}", {"outcome": outcome})
        assert status == 409


async def test_there_is_no_page_of_nobody(sandbox):
    async with sandbox.session.get(f"{sandbox.url}/stripe/c/pay/cs_test_nobody") as answer:
        assert answer.status == 404


# --- events


async def test_one_that_is_told_twice_has_its_id_and_other_bytes(sandbox, stripe, wait):
    await sandbox.arm("stripe.webhook", "twice")
    session = await stripe.open()
    await stripe.act(session, outcome="expire")
    await wait(lambda: len(sandbox.app.raw) >= 2)
    (first, _), (second, _) = sandbox.app.raw
    assert first != second
    assert json.loads(first)["id"] == json.loads(second)["id"]


@pytest.mark.parametrize(
    ("fault", "change"), [("wrong_amount", {"amount_total": 95100}), ("wrong_currency", {"currency": "zar"})]
)
async def test_one_that_tells_another_amount_is_signed_all_the_same(sandbox, stripe, wait, fault, change):
    await sandbox.arm("stripe.webhook", fault)
    session = await stripe.open()
    await stripe.act(session, outcome="expire")
    await kinds(sandbox, wait, 1)
    ((_, shown),) = told(sandbox)
    assert {name: shown[name] for name in change} == change
    assert (await stripe.session(session))["amount_total"] == 95000


async def test_they_may_come_in_another_order(sandbox, stripe, wait):
    await sandbox.arm("stripe.webhook", "unordered")
    await stripe.paid()
    assert await kinds(sandbox, wait, 4) == PAID[::-1]


async def test_one_that_is_lost_never_comes_and_can_be_looked_up(sandbox, stripe, wait):
    await sandbox.arm("stripe.webhook", "lost")
    session = await stripe.open()
    await stripe.act(session, outcome="expire")
    _, listed = await stripe.get("events")
    assert [event["type"] for event in listed["data"]] == ["checkout.session.expired"]
    await stripe.paid()
    assert await kinds(sandbox, wait, 4) == PAID


async def test_a_charge_may_be_told_before_it_is_answered(sandbox, stripe):
    await sandbox.arm("stripe.charge", "callback_first")
    form = {"amount": "500", "currency": "kes", "payment_method": "pm_card_visa", "confirm": "true"}
    assert (await stripe.post("payment_intents", form))[1]["status"] == "succeeded"
    assert "payment_intent.succeeded" in [kind for kind, _ in told(sandbox)]


async def test_a_payment_that_takes_its_time_is_told_later(sandbox, stripe, wait):
    await sandbox.arm("stripe.outcome", "processing", times=2)
    form = {"amount": "500", "currency": "kes", "payment_method": "pm_card_visa", "confirm": "true"}
    assert (await stripe.post("payment_intents", form))[1]["status"] == "processing"
    assert (await kinds(sandbox, wait, 4))[2:] == ["payment_intent.succeeded", "charge.succeeded"]
    session = await stripe.open()
    await stripe.act(session, outcome="pay")
    await wait(lambda: "checkout.session.async_payment_succeeded" in [kind for kind, _ in told(sandbox)])


# --- given back, and disputed


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [
        ("pending", "pending", "succeeded"),
        ("failed", "failed", "failed"),
        ("failed_later", "succeeded", "failed"),
        ("hang", "pending", "pending"),
    ],
)
async def test_a_refund_ends_as_the_bank_lets_it(sandbox, stripe, wait, fault, first, then):
    payment = await stripe.paid()
    await sandbox.arm("stripe.refunded", fault)
    _, refund = await stripe.post("refunds", {"payment_intent": payment})
    assert refund["status"] == first
    ends = {"pending": "refund.updated", "failed": "refund.failed", "failed_later": "refund.failed"}
    if fault in ends:
        await wait(lambda: ends[fault] in [kind for kind, _ in told(sandbox)])
    assert (await stripe.get(f"refunds/{refund['id']}"))[1]["status"] == then
    if fault == "hang":
        await sandbox.act(f"stripe/refunds/{refund['id']}", status="succeeded")
        await wait(lambda: "charge.refund.updated" in [kind for kind, _ in told(sandbox)])


async def test_a_refund_of_the_dashboards_own_is_told(sandbox, stripe, wait):
    payment = await stripe.paid()
    await sandbox.act("stripe/refunds", payment=payment, amount=20000)
    await wait(lambda: "refund.created" in [kind for kind, _ in told(sandbox)])
    refund = dict(told(sandbox))["refund.created"]
    assert (refund["amount"], refund["payment_intent"], refund["metadata"]) == (20000, payment, {})
    status, _ = await sandbox.post("/control/stripe/refunds", {"payment": payment, "amount": 80000})
    assert status == 400


async def test_a_dispute_is_opened_once_and_closed_once(sandbox, stripe, wait):
    payment = await stripe.paid()
    dispute = await sandbox.act("stripe/disputes", payment=payment)
    assert (dispute["payment_intent"], dispute["amount"]) == (payment, 95000)
    status, _ = await sandbox.post("/control/stripe/disputes", {"payment": payment})
    assert status == 409
    await sandbox.act(f"stripe/disputes/{dispute['id']}", status="lost")
    await wait(lambda: "charge.dispute.closed" in [kind for kind, _ in told(sandbox)])
    assert dict(told(sandbox))["charge.dispute.closed"]["status"] == "lost"
    status, _ = await sandbox.post(f"/control/stripe/disputes/{dispute['id']}", {"status": "won"})
    assert status == 409
    status, body = await stripe.post("refunds", {"payment_intent": payment})
    assert (status, body["error"]["code"]) == (400, "charge_disputed")


# --- the door


async def test_what_was_dropped_was_done(sandbox, stripe):
    await sandbox.arm("stripe.session", "drop")
    with pytest.raises(aiohttp.ClientError):
        await stripe.post("checkout/sessions", PAGE, **{"Idempotency-Key": "key-1"})
    status, again = await stripe.post("checkout/sessions", PAGE, **{"Idempotency-Key": "key-1"})
    assert status == 200
    assert [each["id"] for each in (await sandbox.look("stripe"))["sessions"]] == [again["id"]]


@pytest.mark.parametrize(
    ("fault", "status", "made"), [("500", 500, 0), ("spike", 429, 0), ("500_after", 500, 1)]
)
async def test_a_refusal_before_and_one_after_it_was_done(sandbox, stripe, fault, status, made):
    await sandbox.arm("stripe.session", fault)
    assert (await stripe.post("checkout/sessions", PAGE))[0] == status
    assert len((await sandbox.look("stripe"))["sessions"]) == made


async def test_control_names_what_it_does_not_know(sandbox, stripe):
    session = await stripe.open()
    for path, body, status in (
        ("sessions/cs_test_nobody", {"outcome": "pay"}, 404),
        (f"sessions/{session['id']}", {"outcome": "dance"}, 400),
        (f"sessions/{session['id']}", {"outcome": "pay", "card": "1"}, 400),
        (f"sessions/{session['id']}", {"outcome": "succeed"}, 409),
        ("refunds", {"payment": "pi_nobody"}, 404),
        ("disputes", {}, 400),
    ):
        assert (await sandbox.post(f"/control/stripe/{path}", body))[0] == status, path


async def test_a_reset_empties_it(sandbox, stripe):
    await stripe.paid()
    await sandbox.act("reset")
    assert await sandbox.look("stripe") == {"sessions": [], "payments": [], "refunds": [], "disputes": []}
