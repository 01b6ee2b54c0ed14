"""What Pesapal says of one order, as lines of a statement."""

from datetime import UTC, datetime, timedelta

import pytest

from services.money import Money
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.listing import Kind
from tests.services.providers.pesapal_rig import ATTEMPT, NOW, REFERENCE, rigged
from tests.services.providers.stub_pesapal import STATUS, recorded, says

PAID_AT = datetime(2026, 11, 29, 9, 7, 28, 430_000, tzinfo=UTC)


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_a_paid_order_is_one_line_and_its_time_is_east_africas(rig):
    (line,) = await rig.pesapal.lines_of(REFERENCE, NOW)
    assert (line.kind, line.amount, line.receipt) == (Kind.PAID, Money(1250_50, "KES"), "SFK1ABC2DE")
    assert (line.reference, line.at) == (str(ATTEMPT), PAID_AT)


async def test_one_that_went_back_is_two_the_second_in_the_time_that_is_asked_about(rig):
    rig.stub.will(STATUS, says("status_reversed"))
    paid, back = await rig.pesapal.lines_of(REFERENCE, NOW)
    assert (paid.kind, back.kind, back.of) == (Kind.PAID, Kind.BACK, paid.receipt)
    assert (back.amount, back.at) == (paid.amount, NOW - timedelta(seconds=1))


@pytest.mark.parametrize("answer", ["status_unpaid", "status_failed"])
async def test_one_that_was_not_paid_is_none(rig, answer):
    rig.stub.will(STATUS, says(answer))
    assert await rig.pesapal.lines_of(REFERENCE, NOW) == ()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"merchant_reference": "another"}, Unknown),
        ({"status_code": 7}, Unknown),
        ({"payment_status_description": "Failed"}, Unknown),
        ({"amount": None}, Unknown),
        ({"currency": "XXX"}, Unknown),
        ({"confirmation_code": None}, Unknown),
        ({"created_date": None}, Unknown),
        ({"created_date": "yesterday"}, Unknown),
    ],
    ids=str,
)
async def test_what_cannot_be_read_is_no_line(rig, changes, kind):
    rig.stub.will(STATUS, says(recorded("status_completed") | changes))
    assert isinstance(await rig.pesapal.lines_of(REFERENCE, NOW), kind)


@pytest.mark.parametrize(("answer", "kind"), [("error_keys", Misconfigured), ("error_limit", Unknown)])
async def test_what_is_refused_tells_nothing(rig, answer, kind):
    rig.stub.will(STATUS, says(answer))
    assert isinstance(await rig.pesapal.lines_of(REFERENCE, NOW), kind)


async def test_where_nobody_listens_nothing_was_asked(rig):
    assert isinstance(await rig.make("http://127.0.0.1:9").lines_of(REFERENCE, NOW), NotSent)
