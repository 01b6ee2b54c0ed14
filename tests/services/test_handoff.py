"""A customer is handed over to a person of the staff, and back, on both databases."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services import handoff
from services.errors import MissingScope, NotFound
from services.errors.handoff import AnsweredBy, AnswersCustomers, HandoffOver, NobodyAnswers, OutsideWindow
from services.ids import new_id
from services.news.handoff import CustomerGone, CustomerWrote, Ended, PersonGone, PersonWanted, PersonWrote
from services.people import changes
from services.store.schema import audit, conversations, handoff_lines, handoffs, jobs, staff
from tests.services.business import Business

NEWS = PersonWanted | CustomerWrote | CustomerGone | PersonWrote | PersonGone


@pytest.fixture
async def counter(business):
    """`business`, with two who answer customers beside the owner; the customer has just written."""
    return await Counter(business).open()


class Counter:
    def __init__(self, business):
        self.business = business

    async def open(self):
        self.wambui = await self.business.person("Wambui", "Support Lead")
        self.juma = await self.business.person("Juma", "Support Lead")
        await self.wrote()
        return self

    async def wrote(self):
        async with self.business.behind() as work:
            await work.connection.execute(
                sa.update(conversations)
                .where(conversations.c.person_id == self.business.customer)
                .values(heard_at=work.now)
            )

    async def asked(self, *words, person=None):
        async with self.business.teller(person or self.business.customer) as teller:
            return await teller.ask_person(words)

    async def does(self, person, verb, *facts):
        async with self.business.teller(person) as teller:
            return await getattr(teller, verb)(*facts)

    async def told(self, person):
        return [each for each in await self.business.news(person) if isinstance(each, NEWS)]

    async def state(self):
        async with self.business.behind() as work:
            return (await work.connection.execute(sa.select(handoffs.c.state))).scalars().all()

    async def due(self):
        async with self.business.behind() as work:
            query = sa.select(jobs.c.due_at).where(jobs.c.kind == "handoff_end")
            return await work.connection.scalar(query)

    async def job(self, handoff_id):
        async with self.business.behind() as work:
            await handoff.end_if_quiet(work, handoff_id)


async def test_all_who_answer_customers_are_told_once_with_the_last_words(counter):
    handed = await counter.asked("where is it", " ", "my parcel")
    assert await counter.asked("again") == handed
    news = PersonWanted(handoff_id=handed, customer="Achieng", words="where is it\nmy parcel")
    for person in (counter.wambui, counter.juma, counter.business.owner):
        assert await counter.told(person) == [news]
    assert await counter.told(counter.business.cashier) == []


async def test_words_of_both_sides_arrive_and_are_kept_sealed(counter):
    customer, wambui = counter.business.customer, counter.wambui
    handed = await counter.asked()
    assert await counter.does(customer, "tell_person", handed, "one")
    taken = await counter.does(wambui, "take_customer", handed)
    assert (taken.customer, taken.words) == ("Achieng", ("one",))
    assert await counter.does(customer, "tell_person", handed, "two")
    await counter.does(wambui, "answer_customer", handed, "three")
    assert (await counter.told(wambui))[1:] == [
        CustomerWrote(handoff_id=handed, customer="Achieng", words="two")
    ]
    assert await counter.told(customer) == [PersonWrote(handoff_id=handed, words="three")]
    async with counter.business.behind() as work:
        rows = (await work.connection.execute(sa.select(handoff_lines))).all()
        said = {work.open(row.words_sealed, "handoff_lines.words", row.id): row.person_id for row in rows}
        assert said == {"one": customer, "two": customer, "three": wambui}
        assert not any(word in row.words_sealed for row in rows for word in (b"one", b"two", b"three"))
        actions = (await work.connection.execute(sa.select(audit.c.action).order_by(audit.c.seq))).scalars()
        assert list(actions) == ["handoff.asked", "handoff.taken"]


async def test_the_first_of_the_staff_takes_it(counter):
    handed = await counter.asked()
    both = (counter.wambui, counter.juma)
    taking = (counter.does(person, "take_customer", handed) for person in both)
    results = await asyncio.gather(*taking, return_exceptions=True)
    [second] = [who for who, told in zip(both, results, strict=True) if isinstance(told, AnsweredBy)]
    [first] = set(both) - {second}
    for verb, *facts in (("take_customer",), ("answer_customer", "x"), ("close_customer",)):
        with pytest.raises(AnsweredBy):
            await counter.does(second, verb, handed, *facts)
    await counter.does(first, "take_customer", handed)  # goes on
    await counter.does(first, "answer_customer", handed, "x")


async def test_who_is_not_to_answer_does_not(counter):
    handed = await counter.asked()
    for verb, *facts in (("take_customer",), ("answer_customer", "x"), ("close_customer",)):
        for person in (counter.business.cashier, counter.business.customer):
            with pytest.raises(MissingScope):
                await counter.does(person, verb, handed, *facts)
        with pytest.raises(NotFound):
            await counter.does(counter.wambui, verb, new_id(), *facts)
    with pytest.raises(HandoffOver):  # not taken yet
        await counter.does(counter.wambui, "answer_customer", handed, "x")
    assert not await counter.does(counter.business.cashier, "tell_person", handed, "another's")
    await counter.does(counter.business.cashier, "leave_person", handed)
    assert await counter.state() == ["waiting"]


async def test_another_shop_sees_nothing_of_it(counter, database, vault):
    handed = await counter.asked()
    other = await Business(database, vault).open()
    async with other.teller(other.owner) as teller:
        for coming in (teller.take_customer(handed), teller.answer_customer(handed, "x")):
            with pytest.raises(NotFound):
                await coming
    async with other.teller(other.customer) as teller:
        assert not await teller.tell_person(handed, "x")
    assert await counter.state() == ["waiting"]


async def test_nobody_is_asked_where_nobody_answers_and_who_answers_asks_nobody(counter):
    with pytest.raises(AnswersCustomers):
        await counter.asked(person=counter.wambui)
    async with counter.business.behind() as work:
        await work.connection.execute(sa.update(staff).values(active=False))
    with pytest.raises(NobodyAnswers):
        await counter.asked()
    assert await counter.state() == []


async def test_the_customer_goes_back_and_who_answered_is_told_once(counter):
    customer, wambui = counter.business.customer, counter.wambui
    handed = await counter.asked()
    await counter.does(wambui, "take_customer", handed)
    await counter.does(customer, "leave_person", handed)
    await counter.does(customer, "leave_person", handed)
    assert (await counter.told(wambui))[1:] == [
        CustomerGone(handoff_id=handed, customer="Achieng", because=Ended.CUSTOMER)
    ]
    assert await counter.told(customer) == []
    assert await counter.due() is None
    assert not await counter.does(customer, "tell_person", handed, "late")
    for verb, *facts in (("take_customer",), ("answer_customer", "x")):
        with pytest.raises(HandoffOver):
            await counter.does(wambui, verb, handed, *facts)
    await counter.does(wambui, "close_customer", handed)  # it is closed, as they wish
    assert await counter.asked() != handed


async def test_who_answers_is_done_and_the_customer_is_told_once(counter):
    customer, wambui = counter.business.customer, counter.wambui
    handed = await counter.asked()
    await counter.does(wambui, "take_customer", handed)
    await counter.does(wambui, "close_customer", handed)
    await counter.does(wambui, "close_customer", handed)
    assert await counter.told(customer) == [PersonGone(handoff_id=handed, because=Ended.STAFF)]
    assert len(await counter.told(wambui)) == 1


async def test_outside_the_window_nothing_is_written_to_the_customer(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    counter.business.now += timedelta(hours=24)
    with pytest.raises(OutsideWindow):
        await counter.does(counter.wambui, "answer_customer", handed, "x")
    assert await counter.told(counter.business.customer) == []
    await counter.wrote()
    await counter.does(counter.wambui, "answer_customer", handed, "x")


async def test_it_ends_when_nobody_has_taken_it(counter):
    handed = await counter.asked()
    counter.business.now += handoff.QUIET
    await counter.job(handed)
    await counter.job(handed)
    told = PersonGone(handoff_id=handed, because=Ended.NOBODY)
    assert await counter.told(counter.business.customer) == [told]
    assert await counter.due() is None


async def test_each_word_of_the_staff_puts_its_end_off_and_the_customers_do_not(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    counter.business.now += timedelta(minutes=20)
    await counter.does(counter.wambui, "answer_customer", handed, "x")
    counter.business.now += timedelta(minutes=20)
    await counter.does(counter.business.customer, "tell_person", handed, "y")
    await counter.job(handed)  # by an earlier schedule
    assert await counter.state() == ["taken"]
    assert await counter.due() == counter.business.now + timedelta(minutes=10)
    counter.business.now += timedelta(minutes=10)
    await counter.job(handed)
    assert await counter.state() == ["done"]
    gone = CustomerGone(handoff_id=handed, customer="Achieng", because=Ended.QUIET)
    assert gone in await counter.told(counter.wambui)


async def test_it_lasts_half_a_day_at_most(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    counter.business.now += handoff.LONGEST - timedelta(minutes=1)
    await counter.does(counter.wambui, "answer_customer", handed, "x")
    await counter.job(handed)
    assert await counter.state() == ["taken"]
    counter.business.now += timedelta(minutes=1)
    await counter.job(handed)
    assert await counter.state() == ["done"]


async def test_it_ends_where_somebody_else_may_be_behind_the_customers_chat(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    async with counter.business.work() as work:
        await changes.distrust(work, counter.business.customer)
    assert await counter.told(counter.business.customer) == []
    gone = CustomerGone(handoff_id=handed, customer="Achieng", because=Ended.IDENTITY)
    assert gone in await counter.told(counter.wambui)


async def test_it_ends_where_somebody_else_may_be_behind_the_chat_of_who_answers(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    async with counter.business.work() as work:
        await changes.distrust(work, counter.wambui)
    gone = PersonGone(handoff_id=handed, because=Ended.STAFF)
    assert await counter.told(counter.business.customer) == [gone]


async def test_a_word_of_the_staff_and_the_customers_leaving_at_once_end_in_one_of_the_two_orders(counter):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    results = await asyncio.gather(
        counter.does(counter.wambui, "answer_customer", handed, "x"),
        counter.does(counter.business.customer, "leave_person", handed),
        return_exceptions=True,
    )
    assert results[1] is None
    wrote = [each for each in await counter.told(counter.business.customer) if isinstance(each, PersonWrote)]
    assert bool(wrote) == (results[0] is None)
    assert await counter.state() == ["done"]


async def test_words_written_while_one_of_the_staff_takes_it_are_not_lost(counter):
    """They reach them with those of before, or as those that came after."""
    handed = await counter.asked()
    async with counter.business.teller(counter.business.customer) as customer:
        assert await customer.tell_person(handed, "my parcel")
        taking = asyncio.create_task(counter.does(counter.wambui, "take_customer", handed))
        await asyncio.sleep(0.2)
    taken = await taking
    told = [each.words for each in await counter.told(counter.wambui) if isinstance(each, CustomerWrote)]
    assert (*taken.words, *told) == ("my parcel",)


@pytest.mark.parametrize("lost", ["rights", "phone"])
async def test_who_no_longer_answers_customers_reads_no_more_of_them(counter, lost):
    handed = await counter.asked()
    await counter.does(counter.wambui, "take_customer", handed)
    business = counter.business
    if lost == "rights":
        await business.change(staff, staff.c.person_id == counter.wambui, active=False)
    else:
        chat = business.chats[counter.wambui]
        await business.change(conversations, conversations.c.id == chat, person_id=counter.juma)
    assert not await counter.does(business.customer, "tell_person", handed, "my address")
    told = [*await counter.told(counter.wambui), *await counter.told(counter.juma)]
    assert not any(isinstance(each, CustomerWrote | CustomerGone) for each in told)
    assert await counter.told(business.customer) == []  # the answer to their words says it
    assert (await counter.state(), await counter.due()) == (["done"], None)
