"""What proves that a payout was paid: our amount, and a name that only this payout has."""

from datetime import timedelta

import pytest

from services.news import PayoutUndecided, Unpaid
from services.providers.base import Accepted, Failed, Pending, Succeeded, Unknown
from services.store.schema import payouts, withdrawals
from tests.services.business import kes

SENT = Succeeded("UKP9000001", kes("967"))
UNREGISTERED = Failed(Unpaid.RECEIVER, "unregistered number")


@pytest.fixture
async def paying_out(business):
    await business.paid("10000")
    return await business.approved("1000")


async def nothing_moved(business, paying_out):
    assert await business.wallet() == ("10000.00", "1000.00", "9000.00")
    return (await business.row(withdrawals, paying_out.withdrawal.id)).status == "processing"


@pytest.mark.parametrize("word", [SENT, UNREGISTERED, Succeeded("UKP9000001")])
async def test_a_result_before_the_answer_must_name_the_id_that_we_sent(business, paying_out, word):
    assert await paying_out.begun()
    await paying_out.called(word, reference="another")
    assert await nothing_moved(business, paying_out)
    assert await business.alerts() == ["payout.reference_mismatch"]


async def test_a_result_may_name_the_payout_as_it_was_acknowledged(business, paying_out):
    assert await paying_out.begun()
    await paying_out.answered(Accepted("3211-416020-3"))
    await paying_out.called(SENT, reference="3211-416020-3")
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


@pytest.mark.parametrize("word", [SENT, UNREGISTERED, Succeeded()])
async def test_an_answer_to_a_query_that_names_another_payout_moves_nothing(business, paying_out, word):
    await paying_out.sent()
    await paying_out.asked()
    await paying_out.called(word, about="query", reference="AG_query", named="another")
    assert await nothing_moved(business, paying_out)
    assert await business.alerts() == ["payout.reference_mismatch"]


async def test_a_result_without_an_amount_is_asked_about_and_moves_nothing(business, paying_out):
    await paying_out.sent()
    await paying_out.called(Succeeded("UKP9000001"))
    assert await nothing_moved(business, paying_out)
    assert await business.alerts() == ["payout.without_amount"]
    assert (await business.jobs(paying_out.payout))["payout_check"] == timedelta(0)
    await paying_out.asked()
    await paying_out.called(SENT, about="query", reference="AG_query")
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_a_result_without_an_amount_may_come_before_the_answer_to_our_request(business, paying_out):
    assert await paying_out.begun()
    await paying_out.called(Succeeded("UKP9000001"))
    assert (await business.row(payouts, paying_out.payout)).state == "unknown"
    await paying_out.answered(Accepted(str(paying_out.payout)))
    assert await paying_out.asked()


async def test_the_answer_to_a_query_proves_a_success_by_our_reference_alone(business, paying_out):
    await paying_out.sent()
    await paying_out.asked()
    await paying_out.called(
        Succeeded("UKP9000001"), about="query", reference="AG_query", named=str(paying_out.payout)
    )
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")


async def test_an_answer_to_a_query_with_neither_amount_nor_reference_proves_nothing(business, paying_out):
    await paying_out.sent()
    await paying_out.asked()
    await paying_out.called(Succeeded("UKP9000001"), about="query", reference="AG_query")
    assert await nothing_moved(business, paying_out)
    assert await business.alerts() == ["payout.unproven"]
    assert "payout_check" in await business.jobs(paying_out.payout)


async def test_an_answer_to_a_query_with_another_amount_moves_nothing(business, paying_out):
    await paying_out.sent()
    await paying_out.asked()
    await paying_out.called(Succeeded("UKP9000001", kes("968")), about="query", named=str(paying_out.payout))
    assert await nothing_moved(business, paying_out)
    assert await business.alerts() == ["payout.amount_mismatch"]


async def test_a_query_that_a_wrong_initiator_spoils_stops_the_payouts_and_the_asking(business, paying_out):
    """Every question with a wrong credential counts as a failed login, and locks it in the end."""
    await paying_out.begun()
    await paying_out.answered(Unknown("timeout"))
    await paying_out.asked()
    await paying_out.called(Pending("query: 2001", ours=True), about="query")
    assert await business.resting() == {"mpesa": "settings"}
    assert not await paying_out.asked()
    assert await business.jobs(paying_out.payout) == {"payout_check": timedelta(minutes=10)}


async def test_a_payout_that_stays_undecided_is_told_once_to_those_who_reconcile(business, paying_out):
    await paying_out.begun()
    await paying_out.answered(Unknown("timeout"))
    for _ in range(10):
        assert await paying_out.asked()
    assert await business.alerts() == ["payout.undecided"] * 4
    for person in (business.owner, business.manager):
        (told,) = [news for news in await business.news(person) if isinstance(news, PayoutUndecided)]
        assert told.withdrawal.id == paying_out.withdrawal.id
    assert not any(isinstance(news, PayoutUndecided) for news in await business.news(business.cashier))


@pytest.mark.parametrize("told", [Succeeded("UKP9000001"), Succeeded("UKP9000001", kes("968"))])
@pytest.mark.parametrize("ours", [False, True])
async def test_a_no_after_a_success_was_told_releases_nothing_and_sends_no_other(
    business, paying_out, told, ours
):
    """Else the money that may have left would be spent once more, or sent once more."""
    await paying_out.sent()
    await paying_out.called(told)
    await paying_out.asked()
    no = Failed(Unpaid.SHOP if ours else Unpaid.PROVIDER, "status failed", ours=ours)
    await paying_out.called(no, about="query", named=str(paying_out.payout))
    assert await nothing_moved(business, paying_out)
    assert await business.payout_of(paying_out.withdrawal.id) == paying_out.payout
    assert (await business.alerts())[-2:] == ["payout.contradicted", "payouts.frozen"]
    assert await business.resting() == {None: "contradiction"}
    assert await paying_out.asked()
    await paying_out.called(SENT, about="query")
    assert await business.wallet() == ("9000.00", "0.00", "9000.00")
