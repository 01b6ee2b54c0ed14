"""What Stripe's lists tell, in our words, by bodies as its own documents show them."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from services.money import Money
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.listing import Covered, Kind, Line, Listed
from services.providers.stripe import Stripe
from services.providers.stripe_settings import StripeSettings
from tests.services.providers.stub_daraja import OneToken, says, says_raw
from tests.services.providers.stub_stripe import ATTEMPT, INTENT, StubStripe, recorded

UNTIL = datetime(2026, 11, 24, 9, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
AT = int(SINCE.timestamp()) + 60
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 950_00,
    "currency": "kes",
    "status": "succeeded",
    "captured": True,
    "created": AT,
    "payment_intent": INTENT,
    "metadata": {"attempt": ATTEMPT, "by": "page"},
    "balance_transaction": {"id": "txn_1", "currency": "kes", "fee": 32_30},
}
BACK = {"object": "refund", "amount": 100_00, "currency": "kes", "created": AT, "payment_intent": INTENT}


def page(*told, more=False):
    return says({"object": "list", "url": "/v1/charges", "has_more": more, "data": list(told)})


@pytest.fixture
async def stub():
    return StubStripe()


@pytest.fixture
async def lists(stub):
    """All lines, or what came instead of a page; of things that are listed, or of whole answers."""
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:
        settings = StripeSettings.model_validate({"secret_key": "sk_test_x", "webhook_secret": "whsec_x"})
        stripe = Stripe(settings, http, str(server.make_url("")), OneToken(), lambda: UNTIL)

        async def all_of(charges=(), refunds=(), disputes=()):
            for name, told in (("charges", charges), ("refunds", refunds), ("disputes", disputes)):
                answers = told if told and callable(told[0]) else [page(*told)]
                stub.will(f"/v1/{name}", *answers)
            lines: list[Line] = []
            following = None
            while True:
                listed = await stripe.list_lines(SINCE, UNTIL, following)
                if not isinstance(listed, Listed):
                    return listed
                lines += listed.lines
                following = listed.following
                if following is None:
                    return lines, listed.covered

        yield all_of


async def test_a_charge_is_what_a_customer_has_paid_by_its_payment_and_our_attempt(lists):
    (line,), covered = await lists([CHARGE])
    assert (line.kind, line.amount, line.receipt, line.reference) == (
        Kind.PAID,
        Money(950_00, "KES"),
        INTENT,
        ATTEMPT,
    )
    assert (line.fee, line.at) == (Money(32_30, "KES"), datetime.fromtimestamp(AT, UTC))
    assert covered == (Covered(Kind.PAID, SINCE, UNTIL), Covered(Kind.BACK, SINCE, UNTIL))


@pytest.mark.parametrize(
    ("balance", "fee"),
    [
        ({"currency": "usd", "fee": 25}, None),
        ({"currency": "kes", "fee": 0}, Money(0, "KES")),
        ({"currency": "kes", "fee": -1}, None),
        ("txn_not_expanded", None),
        (None, None),
    ],
)
async def test_a_fee_is_told_in_the_currency_of_the_charge_or_not_at_all(lists, balance, fee):
    (line,), _ = await lists([CHARGE | {"balance_transaction": balance}])
    assert line.fee == fee


@pytest.mark.parametrize(
    "changes", [{"status": "failed"}, {"status": "pending"}, {"captured": False}, {"status": "unheard"}]
)
async def test_what_was_not_charged_is_no_line(lists, changes):
    assert (await lists([CHARGE | changes]))[0] == []


@pytest.mark.parametrize("metadata", [{}, {"attempt": ATTEMPT}, {"attempt": ATTEMPT, "by": "refund"}, None])
async def test_what_is_not_marked_as_ours_names_nothing_of_ours(lists, metadata):
    (line,), _ = await lists([CHARGE | {"metadata": metadata}])
    assert line.reference is None


async def test_refunds_and_lost_disputes_go_back_under_their_own_ids(lists):
    refunds = [
        BACK | {"id": f"re_{status}", "status": status} for status in ("succeeded", "pending", "failed")
    ]
    disputes = [BACK | {"id": f"du_{status}", "status": status} for status in ("lost", "won", "under_review")]
    lines, _ = await lists((), refunds, disputes)
    assert [(line.kind, line.receipt, line.reference, line.of) for line in lines] == [
        (Kind.BACK, "re_succeeded", "re_succeeded", INTENT),
        (Kind.BACK, "du_lost", "du_lost", INTENT),
    ]


async def test_each_is_asked_by_when_it_was_made_and_page_after_page(lists, stub):
    first = [CHARGE | {"id": f"ch_{n}"} for n in range(3)]
    lines, _ = await lists([page(*first, more=True), page(CHARGE | {"id": "ch_9"})])
    assert [line.key for line in lines] == ["charge:ch_0", "charge:ch_1", "charge:ch_2", "charge:ch_9"]
    one, other = stub.asked["/v1/charges"]
    assert (one["created[gte]"], one["created[lt]"]) == (
        str(int(SINCE.timestamp())),
        str(int(UNTIL.timestamp())),
    )
    assert ("starting_after" in one, other["starting_after"]) == (False, "ch_2")
    began = int((SINCE - timedelta(days=120)).timestamp())
    assert stub.asked["/v1/disputes"][0]["created[gte]"] == str(began)


async def test_recorded_objects_are_read(lists):
    refund = recorded("refund") | {"status": "succeeded"}
    lines, _ = await lists((), [refund], [recorded("dispute") | {"status": "lost"}])
    assert [line.receipt for line in lines] == [refund["id"], recorded("dispute")["id"]]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says({"error": {"type": "invalid_request_error"}}, 401), Misconfigured),
        (says({"error": {"type": "invalid_request_error"}}, 403), Misconfigured),
        (says({}, 500), Unknown),
        (says({"error": {"type": "rate_limit"}}, 429), Unknown),
        (says({"data": None}), Unknown),
        (says_raw(b"<html>"), Unknown),
        (page(1), Unknown),
        (page(CHARGE | {"amount": "x"}), Unknown),
        (page(CHARGE | {"currency": None}), Unknown),
        (page(CHARGE | {"created": True}), Unknown),
        (page(CHARGE | {"created": 10**30}), Unknown),
        (page(CHARGE | {"id": None}), Unknown),
    ],
)
async def test_what_cannot_be_read_is_no_list(lists, answer, kind):
    assert isinstance(await lists([answer]), kind)


async def test_where_nobody_listens_nothing_was_asked():
    async with aiohttp.ClientSession() as http:
        settings = StripeSettings.model_validate({"secret_key": "sk_test_x", "webhook_secret": "whsec_x"})
        stripe = Stripe(settings, http, "http://127.0.0.1:9", OneToken(), lambda: UNTIL)
        assert isinstance(await stripe.list_lines(SINCE, UNTIL, None), NotSent)
