"""One-time codes: who needs them, what they are good for, and what guessing them leads to (A12)."""

import asyncio
import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from services.approval import lending
from services.errors import Changed, NotPending, StepUpRequired
from services.errors.approval import ApproverCoolingDown, TotpInvalid
from services.errors.limits import PayoutsBlocked
from services.ids import new_id
from services.news import WithdrawalClosed
from services.news.approval import CodesEnrolled, CodesGuessed
from services.safety import stepup
from services.store.schema import audit, operations, totps, withdrawals


@pytest.fixture
async def strict(business):
    await business.paid("50000")
    await business.set(totp_above=999_00)
    return business


async def enrolled(business, person):
    """Their authenticator app."""
    async with business.work() as work:
        address = await stepup.enrol(work, person)
    told = parse_qs(urlsplit(address).query)
    assert (told["issuer"], told["digits"], told["period"]) == (["Mama Njeri"], ["6"], ["30"])
    app = TOTP(base64.b32decode(told["secret"][0]), 6, SHA1(), 30)
    return lambda seconds=0: app.generate(int(business.now.timestamp()) + seconds).decode()


async def test_a_right_is_lent_with_a_code_wherever_codes_are_in_use(strict):
    async with strict.work() as work:
        asked = await lending.lend(work, strict.owner, strict.cashier, strict.now + timedelta(days=1))
    with pytest.raises(StepUpRequired):
        async with strict.work() as work:
            await lending.agree(work, strict.manager, asked.id, asked.digest)
    app = await enrolled(strict, strict.manager)
    with pytest.raises(TotpInvalid):
        async with strict.work() as work:
            await lending.agree(work, strict.manager, asked.id, asked.digest, other(app()))
    async with strict.work() as work:
        assert (await lending.agree(work, strict.manager, asked.id, asked.digest, app())).state == "lent"


async def test_a_right_that_was_to_be_lent_before_codes_were_in_use_takes_one_now(business):
    async with business.work() as work:
        asked = await lending.lend(work, business.owner, business.cashier, business.now + timedelta(days=1))
    await business.set(totp_above=999_00)
    with pytest.raises(StepUpRequired):
        async with business.work() as work:
            await lending.agree(work, business.manager, asked.id, asked.digest)


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


async def approve(business, person, withdrawal, code=None):
    async with business.teller(person) as teller:
        return await teller.approve(withdrawal.id, withdrawal.digest, code)


async def test_above_the_limit_it_takes_the_approvers_own_code(strict):
    withdrawal = await strict.withdraw("1000")
    with pytest.raises(StepUpRequired) as refused:
        await approve(strict, strict.manager, withdrawal, "123456")
    assert not refused.value.enrolled
    app = await enrolled(strict, strict.manager)
    await enrolled(strict, strict.owner)
    with pytest.raises(StepUpRequired) as refused:
        await approve(strict, strict.manager, withdrawal)
    assert refused.value.enrolled
    with pytest.raises(TotpInvalid):  # the manager's is not the owner's
        await approve(strict, strict.owner, withdrawal, app())
    spaced = f"{app()[:3]} {app()[3:]}"
    assert (await approve(strict, strict.manager, withdrawal, spaced)).status == "processing"


@pytest.mark.parametrize(("seconds", "taken"), [(-60, False), (-30, True), (30, True), (60, False)])
async def test_clocks_may_differ_by_a_step(strict, seconds, taken):
    app = await enrolled(strict, strict.manager)
    withdrawal = await strict.withdraw("1000")
    if taken:
        assert (await approve(strict, strict.manager, withdrawal, app(seconds))).status == "processing"
    else:
        with pytest.raises(TotpInvalid):
            await approve(strict, strict.manager, withdrawal, app(seconds))


async def test_a9_small_ones_that_sum_above_the_limit_take_a_code_too(strict):
    first, second = await strict.withdraw("600"), await strict.withdraw("600")
    assert (await approve(strict, strict.manager, first)).status == "processing"
    with pytest.raises(StepUpRequired):
        await approve(strict, strict.manager, second)


async def test_a12_a_code_is_good_once_and_no_earlier_one_after_it(strict):
    app = await enrolled(strict, strict.manager)
    first, second = await strict.withdraw("1000"), await strict.withdraw("1000")
    await approve(strict, strict.manager, first, app())
    for replayed in (app(), app(-30)):
        with pytest.raises(TotpInvalid) as refused:
            await approve(strict, strict.manager, second, replayed)
        assert refused.value.used
    assert (await approve(strict, strict.manager, second, app(30))).status == "processing"


async def test_a12_one_code_at_once_for_two_approves_one(strict):
    app = await enrolled(strict, strict.manager)
    asked = [await strict.withdraw("1000") for _ in range(3)]
    results = await asyncio.gather(
        *(approve(strict, strict.manager, each, app()) for each in asked), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["TotpInvalid"] * 2 + ["Withdrawal"]


async def test_a12_five_wrong_ones_lock_for_a_quarter_of_an_hour_even_for_the_right_one(strict):
    app = await enrolled(strict, strict.manager)
    withdrawal = await strict.withdraw("1000")
    for wrong in range(5):
        with pytest.raises(TotpInvalid) as refused:
            await approve(strict, strict.manager, withdrawal, other(app()))
        assert (refused.value.locked_until is not None) == (wrong == 4)
    assert await strict.alerts() == ["totp.locked"]
    strict.forward(minutes=14, seconds=59)
    with pytest.raises(TotpInvalid):
        await approve(strict, strict.manager, withdrawal, app())
    strict.forward(seconds=1)
    assert (await approve(strict, strict.manager, withdrawal, app())).status == "processing"


async def test_a12_ten_wrong_ones_close_the_request_and_the_owners_hear_of_it(strict):
    """Whoever types them: two approvers' guesses are counted together."""
    apps = {person: await enrolled(strict, person) for person in (strict.manager, strict.owner)}
    withdrawal = await strict.withdraw("1000")
    for person in (strict.manager, strict.owner):
        for _ in range(5):
            with pytest.raises(TotpInvalid) as refused:
                await approve(strict, person, withdrawal, other(apps[person]()))
    assert refused.value.void
    assert await strict.alerts() == ["totp.locked", "totp.locked", "withdrawal.codes_guessed"]
    guessed, closed = (await strict.news(strict.owner))[-2:]
    assert isinstance(guessed, CodesGuessed)
    assert isinstance(closed, WithdrawalClosed)
    assert (await strict.row(withdrawals, withdrawal.id)).status == "canceled"
    assert (await strict.row(operations, withdrawal.id)).state == "canceled"
    assert await strict.wallet() == ("50000.00", "0.00", "50000.00")
    strict.forward(minutes=15)
    with pytest.raises(NotPending):
        await approve(strict, strict.manager, withdrawal, apps[strict.manager]())


async def test_new_codes_in_place_of_used_ones_count_a_day_later_and_the_owners_are_told(strict):
    app = await enrolled(strict, strict.manager)
    await approve(strict, strict.manager, await strict.withdraw("1000"), app())
    withdrawal = await strict.withdraw("1000")
    new = await enrolled(strict, strict.manager)
    told = [news for news in await strict.news(strict.owner) if isinstance(news, CodesEnrolled)]
    assert [news.again for news in told] == [False, True]
    for code in (app(30), new()):
        with pytest.raises(ApproverCoolingDown):
            await approve(strict, strict.manager, withdrawal, code)
    strict.forward(hours=23)
    await enrolled(strict, strict.manager)  # and again: not sooner for that
    strict.forward(hours=1)
    withdrawal = await strict.withdraw("1000")
    with pytest.raises(ApproverCoolingDown):
        await approve(strict, strict.manager, withdrawal, new())


async def test_codes_and_secrets_are_not_kept_in_the_open(strict):
    app = await enrolled(strict, strict.manager)
    code = app()
    await approve(strict, strict.manager, await strict.withdraw("1000"), code)
    async with strict.behind() as work:
        row = (await work.connection.execute(sa.select(totps))).one()
        facts = (await work.connection.execute(sa.select(audit.c.facts))).scalars().all()
    assert row.person_id == strict.manager
    assert code not in str(facts)
    with pytest.raises(ValueError, match="totps"):  # sealed for this person
        async with strict.work() as work:
            work.open(row.secret_sealed, stepup.COLUMN, new_id())


async def test_a_code_is_not_used_up_where_something_else_refuses(strict):
    """Of a request that waits on, so that the approver does not wait for another one."""
    await strict.set(blocked_hours="11:00-13:00")  # it is 12:00 in Nairobi
    app = await enrolled(strict, strict.manager)
    withdrawal = await strict.withdraw("1000")
    with pytest.raises(PayoutsBlocked):
        await approve(strict, strict.manager, withdrawal, app())
    with pytest.raises(Changed):
        async with strict.teller(strict.manager) as teller:
            await teller.approve(withdrawal.id, "another", app())
    await strict.set(blocked_hours=None)
    assert (await approve(strict, strict.manager, withdrawal, app())).status == "processing"


async def test_a12_at_what_is_decided_a_right_code_is_used_up(strict):
    """Wrong ones close nothing there: it would be the place to guess."""
    app = await enrolled(strict, strict.manager)
    decided, withdrawal = await strict.withdraw("1000"), await strict.withdraw("1000")
    async with strict.teller(strict.owner) as teller:
        await teller.reject(decided.id, "no")
    with pytest.raises(NotPending):
        await approve(strict, strict.manager, decided, app())
    with pytest.raises(TotpInvalid) as refused:
        await approve(strict, strict.manager, withdrawal, app())
    assert refused.value.used
