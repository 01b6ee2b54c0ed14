"""Stripe's own client speaks to the emulated Stripe as to the real one: what it sends is understood, what it
is told it reads, and it believes what is signed."""

import asyncio

import pytest
import stripe as official

from services.providers.stripe_settings import StripeSettings
from tests.sandbox.stripes import KEY, SECRET, with_stripe
from tests.services.providers.stub_stripe import recorded

SETTINGS = StripeSettings.model_validate({"secret_key": KEY, "webhook_secret": SECRET})
PAGE = {
    "mode": "payment",
    "line_items": [
        {
            "price_data": {"currency": "kes", "unit_amount": 95000, "product_data": {"name": "Unga"}},
            "quantity": 1,
        }
    ],
    "client_reference_id": "ours",
    "metadata": {"attempt": "ours"},
    "payment_intent_data": {"metadata": {"attempt": "ours"}, "setup_future_usage": "off_session"},
    "customer_creation": "always",
    "success_url": "https://example.org/back",
}


@pytest.fixture
def world(world):
    return with_stripe(world)


@pytest.fixture
async def open_client(sandbox):
    opened = []

    def make(key=KEY, retries=0):
        opened.append(official.AIOHTTPClient(timeout=5))
        return official.StripeClient(
            key,
            base_addresses={"api": f"{sandbox.url}/stripe"},
            http_client=opened[-1],
            max_network_retries=retries,
        )

    yield make
    for each in opened:
        await each.close_async()


@pytest.fixture
def client(open_client):
    return open_client()


@pytest.fixture
async def saved(client):
    """A customer with a card that may be charged."""
    customer = await client.v1.customers.create_async({"email": "a@example.org"})
    method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    return customer, method


def charge(saved, **changes):
    customer, method = saved
    return {
        "amount": 95000,
        "currency": "kes",
        "customer": customer.id,
        "payment_method": method.id,
        "off_session": True,
        "confirm": True,
        "metadata": {"attempt": "ours"},
    } | changes


def believed(came):
    """By their client, which has the clock of this machine: the time is looked at by ours alone."""
    body, header = came
    return official.Webhook.construct_event(body, header, SECRET, tolerance=0)


async def test_a_session_is_opened_paid_and_looked_at(sandbox, client):
    session = await client.v1.checkout.sessions.create_async(PAGE)
    assert (session.object, session.status, session.payment_status) == ("checkout.session", "open", "unpaid")
    assert session.url is not None
    assert session.url.startswith(sandbox.url)
    assert (session.amount_total, session.currency, session.client_reference_id) == (95000, "kes", "ours")
    await sandbox.act(f"stripe/sessions/{session.id}", outcome="pay")
    paid = await client.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.payment_method"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    intent = paid.payment_intent
    assert isinstance(intent, official.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.metadata["attempt"]) == ("succeeded", 95000, "ours")
    method = intent.payment_method
    assert isinstance(method, official.PaymentMethod)
    assert method.card is not None
    assert (method.card.brand, method.card.last4, method.customer) == ("visa", "4242", paid.customer)


async def test_a_session_is_ended(client):
    session = await client.v1.checkout.sessions.create_async(PAGE)
    assert (await client.v1.checkout.sessions.expire_async(session.id)).status == "expired"
    with pytest.raises(official.InvalidRequestError, match="can be expired"):
        await client.v1.checkout.sessions.expire_async(session.id)


async def test_the_card_saved_on_a_page_is_charged_and_forgotten(sandbox, client):
    session = await client.v1.checkout.sessions.create_async(PAGE)
    await sandbox.act(f"stripe/sessions/{session.id}", outcome="pay", card="5555555555554444")
    paid = await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    intent = paid.payment_intent
    assert isinstance(intent, official.PaymentIntent)
    params = {"customer": paid.customer, "payment_method": intent.payment_method, "off_session": True}
    again = {"amount": 500, "currency": "kes", "confirm": True}
    assert (await client.v1.payment_intents.create_async(params | again)).status == "succeeded"
    assert (await client.v1.payment_methods.detach_async(str(intent.payment_method))).customer is None
    with pytest.raises(official.InvalidRequestError):
        await client.v1.payment_intents.create_async(params | again)


async def test_a_charge_is_read(client, saved):
    made = await client.v1.payment_intents.create_async(charge(saved, expand=["payment_method"]))
    assert (made.object, made.status, made.amount_received) == ("payment_intent", "succeeded", 95000)
    assert isinstance(made.payment_method, official.PaymentMethod)
    again = await client.v1.payment_intents.retrieve_async(made.id)
    assert (again.id, again.payment_method) == (made.id, saved[1].id)


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
async def test_a_declined_charge_is_a_card_error_that_names_its_payment(
    client, saved, card, code, decline_code
):
    customer, _ = saved
    method = await client.v1.payment_methods.attach_async(card, {"customer": customer.id})
    with pytest.raises(official.CardError) as declined:
        await client.v1.payment_intents.create_async(charge((customer, method)))
    told = declined.value.error
    assert (declined.value.http_status, declined.value.code) == (402, code)
    assert told is not None
    assert told.payment_intent is not None
    assert told.decline_code == decline_code
    assert told.payment_intent.status == "requires_payment_method"


async def test_a_bank_that_asks_an_attending_customer_waits_for_them(client, saved):
    customer, _ = saved
    method = await client.v1.payment_methods.attach_async(
        "pm_card_authenticationRequired", {"customer": customer.id}
    )
    made = await client.v1.payment_intents.create_async(charge((customer, method), off_session=False))
    assert made.status == "requires_action"
    assert (await client.v1.payment_intents.cancel_async(made.id)).status == "canceled"


async def test_payments_are_given_back_in_parts_and_no_more_than_they_were(client, saved):
    made = await client.v1.payment_intents.create_async(charge(saved))
    part = await client.v1.refunds.create_async(
        {
            "payment_intent": made.id,
            "amount": 20000,
            "reason": "requested_by_customer",
            "metadata": {"a": "b"},
        }
    )
    assert (part.object, part.status, part.amount, part.payment_intent) == (
        "refund",
        "succeeded",
        20000,
        made.id,
    )
    with pytest.raises(official.InvalidRequestError, match="greater than unrefunded"):
        await client.v1.refunds.create_async({"payment_intent": made.id, "amount": 75001})
    rest = await client.v1.refunds.create_async({"payment_intent": made.id})
    assert rest.amount == 75000
    with pytest.raises(official.InvalidRequestError) as refused:
        await client.v1.refunds.create_async({"payment_intent": made.id})
    assert refused.value.code == "charge_already_refunded"
    listed = await client.v1.refunds.list_async({"payment_intent": made.id})
    assert [each.id for each in listed.data] == [rest.id, part.id]
    assert (await client.v1.refunds.retrieve_async(part.id)).metadata["a"] == "b"


async def test_it_knows_every_field_that_is_told(sandbox, client, saved):
    session = await client.v1.checkout.sessions.create_async(PAGE)
    intent = await client.v1.payment_intents.create_async(charge(saved))
    charged = await client.v1.charges.retrieve_async(str(intent.latest_charge))
    dispute = await sandbox.act("stripe/disputes", payment=intent.id, amount=1)
    other = await client.v1.payment_intents.create_async(charge(saved))
    refund = await client.v1.refunds.create_async({"payment_intent": other.id})
    event = (await client.v1.events.list_async()).data[0]
    for thing in (session, intent, charged, refund, event, *saved):
        told, known = set(thing.to_dict()), set(type(thing).__annotations__)
        assert told - known == set(), type(thing).__name__
    assert set(dispute) <= set(official.Dispute.__annotations__)
    (_, method) = saved
    assert set(method.card.to_dict()) <= set(official.PaymentMethod.Card.__annotations__)


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("session", official.checkout.Session),
        ("payment_intent", official.PaymentIntent),
        ("payment_method", official.PaymentMethod),
        ("refund", official.Refund),
        ("dispute", official.Dispute),
        ("event", official.Event),
    ],
)
def test_it_knows_every_field_of_what_our_adapter_is_tested_with(kind, thing):
    assert set(recorded(kind)) - set(thing.__annotations__) == set()


# --- keys


async def test_the_same_key_does_it_once(sandbox, client, saved):
    options = {"idempotency_key": "key-1"}
    both = await asyncio.gather(
        *(client.v1.payment_intents.create_async(charge(saved), options) for _ in range(3)),
        return_exceptions=True,
    )
    first = next(each for each in both if not isinstance(each, BaseException))
    again = await client.v1.payment_intents.create_async(charge(saved), options)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len((await sandbox.look("stripe"))["payments"]) == 1


async def test_a_key_is_of_its_own_parameters(client, saved):
    options = {"idempotency_key": "key-1"}
    await client.v1.payment_intents.create_async(charge(saved), options)
    with pytest.raises(official.IdempotencyError):
        await client.v1.payment_intents.create_async(charge(saved, amount=1), options)
    with pytest.raises(official.IdempotencyError):
        await client.v1.refunds.create_async({"payment_intent": "pi_1"}, options)


async def test_a_decline_and_an_error_of_what_was_done_are_told_again(sandbox, client, saved):
    options = {"idempotency_key": "key-1"}
    await sandbox.arm("stripe.charge", "500_after")
    for _ in range(2):
        with pytest.raises(official.APIError):
            await client.v1.payment_intents.create_async(charge(saved), options)
    await sandbox.arm("stripe.outcome", "declined")
    for _ in range(2):
        with pytest.raises(official.CardError):
            await client.v1.payment_intents.create_async(charge(saved), {"idempotency_key": "key-2"})
    told = (await sandbox.look("stripe"))["payments"]
    assert [each["status"] for each in told] == ["requires_payment_method", "succeeded"]


async def test_what_did_not_begin_leaves_its_key_free(sandbox, client, saved):
    options = {"idempotency_key": "key-1"}
    await sandbox.arm("stripe.charge", "spike")
    with pytest.raises(official.RateLimitError):
        await client.v1.payment_intents.create_async(charge(saved), options)
    with pytest.raises(official.InvalidRequestError):
        await client.v1.payment_intents.create_async(charge(saved, amount=0), options)
    assert (await client.v1.payment_intents.create_async(charge(saved), options)).status == "succeeded"


async def test_a_key_is_forgotten_after_a_day(sandbox, client, saved):
    options = {"idempotency_key": "key-1"}
    first = await client.v1.payment_intents.create_async(charge(saved), options)
    await sandbox.act("clock", hours=25)
    assert (await client.v1.payment_intents.create_async(charge(saved), options)).id != first.id


async def test_its_own_retry_after_a_dropped_connection_finds_what_was_done(sandbox, open_client, saved):
    patient = open_client(retries=2)
    await sandbox.arm("stripe.charge", "drop")
    made = await patient.v1.payment_intents.create_async(charge(saved), {"idempotency_key": "key-1"})
    assert made.status == "succeeded"
    assert len((await sandbox.look("stripe"))["payments"]) == 1


# --- what it cannot do


async def test_a_wrong_key_is_nobodys(open_client):
    with pytest.raises(official.AuthenticationError):
        await open_client("sk_test_other").v1.checkout.sessions.create_async(PAGE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"misspelt": "x"}, "parameter_unknown"),
        ({"payment_intent_data": {"misspelt": "x"}}, "parameter_unknown"),
        ({"line_items": []}, "parameter_missing"),
        ({"success_url": ""}, "parameter_missing"),
        ({"expires_at": 1}, "parameter_invalid"),
        ({"mode": "subscription"}, "parameter_invalid"),
    ],
)
async def test_a_session_that_cannot_be_is_refused(client, changes, code):
    with pytest.raises(official.InvalidRequestError) as refused:
        await client.v1.checkout.sessions.create_async(PAGE | changes)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 0}, "amount_too_small"),
        ({"amount": 49, "currency": "usd"}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": 501, "currency": "ugx"}, "parameter_invalid_integer"),
        ({"currency": "xts"}, "currency_invalid"),
        ({"payment_method": "pm_nobody"}, "resource_missing"),
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"misspelt": "x"}, "parameter_unknown"),
    ],
)
async def test_a_charge_that_cannot_be_is_refused(client, saved, changes, code):
    with pytest.raises(official.InvalidRequestError) as refused:
        await client.v1.payment_intents.create_async(charge(saved, **changes))
    assert refused.value.code == code


# --- what it is told


async def test_it_believes_what_is_signed_and_so_do_we(sandbox, client, saved, wait):
    await client.v1.payment_intents.create_async(charge(saved))
    await wait(lambda: len(sandbox.app.raw) >= 3)
    kinds = []
    for raw, header in sandbox.app.raw:
        event = believed((raw, header))
        kinds.append(event.type)
        assert SETTINGS.signed(raw, header, sandbox.clock())
    assert kinds == ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded"]
    event = believed(sandbox.app.raw[1])
    assert isinstance(event.data.object, official.PaymentIntent)
    listed = await client.v1.events.list_async({"limit": 2})
    assert [each.type for each in listed.data] == kinds[:0:-1]
    assert (await client.v1.events.retrieve_async(event.id)).type == event.type


async def test_neither_of_us_believes_what_is_forged(sandbox, client, wait):
    await sandbox.arm("stripe.webhook", "forged")
    session = await client.v1.checkout.sessions.create_async(PAGE)
    await client.v1.checkout.sessions.expire_async(session.id)
    await wait(lambda: len(sandbox.app.raw) >= 2)
    (forged, header), (right, good) = sandbox.app.raw
    assert forged == right
    with pytest.raises(official.SignatureVerificationError):
        believed((forged, header))
    assert not SETTINGS.signed(forged, header, sandbox.clock())
    assert SETTINGS.signed(right, good, sandbox.clock())


async def test_what_was_signed_an_hour_ago_is_too_old_for_us(sandbox, client, wait):
    await sandbox.arm("stripe.webhook", "stale")
    session = await client.v1.checkout.sessions.create_async(PAGE)
    await client.v1.checkout.sessions.expire_async(session.id)
    await wait(lambda: len(sandbox.app.raw) >= 2)
    (stale, old), (again, new) = sandbox.app.raw
    assert believed((stale, old))
    assert not SETTINGS.signed(stale, old, sandbox.clock())
    assert SETTINGS.signed(again, new, sandbox.clock())
