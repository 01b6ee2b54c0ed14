"""What is held of a customer is gone after an erasure, wherever it lay; and the books stand."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.audit.anchors import Anchors
from services.audit.verify import verify
from services.errors import NotFound
from services.errors.refunds import NotRefundable
from services.languages import LANGUAGES
from services.news.privacy import ErasureWanted
from services.news.refunds import Way
from services.people import customers, people
from services.privacy import compact, erase, held, standing
from services.privacy.places import PLACES, placed
from services.privacy.traces import Traces
from services.providers.base import Succeeded
from services.refunds import decide, wishes
from services.safety.rotation import rotate
from services.shop import orders as shop_orders
from services.shop.facts import Priced
from services.statement.period import Period
from services.statement.read import page
from services.store import schema
from services.store.database import Database
from services.store.schema import metadata
from services.store.scope import AUDITOR, within
from tests.services.business import PHONE, Business, kes
from tests.services.paying_twice import paid_twice_by
from tests.services.refunding import ask as ask_refund
from tests.services.test_taken_back import told
from tests.services.traced import DIGITS, NAME, USER_ID, WAMID, customer_of, erased, everything, indexed


def test_every_column_that_may_tell_of_a_person_has_its_place() -> None:
    """Ids, times, numbers and flags alone tell nothing."""
    words = (sa.String, sa.JSON, sa.LargeBinary)
    columns = [(table.name, each) for table in metadata.sorted_tables for each in table.c]
    lost = [f"{table}.{each.name}" for table, each in columns if not placed(table, each.name)]
    lost = [name for name in lost if isinstance(_column(name).type, words)]
    assert lost == [], "say in services/privacy/places.py what becomes of them at an erasure"
    known = {f"{table}.{each.name}" for table, each in columns} | {f"{table}.*" for table, _ in columns}
    assert PLACES.keys() <= known


def _column(name: str) -> sa.Column[Any]:
    table, column = name.split(".")
    return metadata.tables[table].c[column]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("call 0712 345 678 now", True),
        ("+254712345678", True),
        ("254712345678", True),
        ('{"to":"254-712-345-678"}', True),
        (WAMID, True),
        (f'{{"id":"{WAMID}"}}'.replace("/", "\\/"), True),
        (USER_ID, True),
        ("1712345678", False),
        ("7123456789", False),
        ("wamid.AAAA", False),
        (NAME, False),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, told: bool) -> None:
    traces = Traces({PHONE}, {USER_ID}, {NAME})
    assert traces.number_in(text) is told
    assert traces.named_in(f"{text} {NAME}")
    masked = traces.masked(f"{text} {NAME}", name=True)
    assert not traces.named_in(masked)


def test_a_name_is_no_part_of_a_word() -> None:
    traces = Traces(set(), set(), {"May", "Jo"})
    assert traces.named_in('{"customer":"May"}')
    assert not traces.named_in("It may be paid in Mayfair by Jo")


def test_who_was_erased_is_called_so_in_every_language() -> None:
    assert erase.NAMELESS.keys() == LANGUAGES.keys()


async def test_after_an_erasure_nothing_names_the_customer_and_the_books_stand(business: Business) -> None:
    person = await customer_of(business)
    traces = Traces({PHONE}, {USER_ID}, {NAME})
    before = await everything(business)
    assert traces.number_in(before)
    assert NAME in before
    assert await indexed(business) == 3
    balances = await business.balances()
    business.forward(days=31)
    await business.change(schema.attempts, schema.attempts.c.state == "created", state="failed")
    done, elsewhere = await erased(business, person)
    assert {"people", "conversations", "saved_methods", "attempts", "orders", "audit_private"} <= done.keys()
    assert {"inbox", "outbox", "conversations"} <= elsewhere.keys()
    after = await everything(business)
    assert not traces.number_in(after)
    assert DIGITS not in after
    assert NAME not in after
    assert "Zawadi" not in after
    assert USER_ID not in after
    assert await indexed(business) == 0
    assert await business.balances() == balances
    await _stands(business, person)


async def _stands(business: Business, person: UUID) -> None:
    """Orders, the statement, the audit and the books; and who writes again is somebody new."""
    async with business.work() as work:
        assert await people.name_of(work, person) == "erased customer"
        with pytest.raises(NotFound):
            await customers.one(work, person)
        assert [order.status for order in await shop_orders.latest(work, person)].count("paid") == 1
        whole = Period(business.now - timedelta(days=40), business.now)
        (line,) = await page(work, whole, "KES", None)
        assert line.amount == kes("500")
        assert line.receipt is not None
        assert await business.breaches(work) == []
        sent = sa.select(schema.outbox.c.state).order_by(schema.outbox.c.seq)
        entry = sa.select(schema.audit.c.facts).where(schema.audit.c.action == "person.erased")
        async with within(work.connection, AUDITOR):
            verified = await verify(work.connection, business.vault, Anchors(), business.tenant)
            assert verified.findings == []
            assert list((await work.connection.execute(sent)).scalars()) == ["failed", "read"]
            assert (await work.connection.execute(entry)).one().facts["removed_or_emptied"]["people"] == 1
        anew, new = await customers.add(work, PHONE, USER_ID, NAME)
        assert new
        assert anew.id != person
    rotated = await rotate(business.database, business.vault, lambda _column, _many: None)
    assert rotated.unopenable == {}


async def test_the_file_itself_holds_nothing_of_who_was_erased(sqlite: Database, vault: Any) -> None:
    business = await Business(sqlite, vault).open()
    person = await customer_of(business)
    path = Path(sqlite.url.database or "")
    files = [path, path.with_name(path.name + "-wal")]
    signs = [NAME.encode(), business.vault.index(PHONE, business.tenant, "conversations.phone")]
    before = b"".join(each.read_bytes() for each in files if each.exists())
    assert all(sign in before for sign in signs)
    business.forward(days=31)
    await business.change(schema.attempts, schema.attempts.c.state == "created", state="failed")
    await erased(business, person)
    assert await compact.compact(sqlite)
    raw = b"".join(each.read_bytes() for each in files if each.exists())
    assert [sign for sign in [*signs, DIGITS.encode(), WAMID.encode()] if sign in raw] == []


async def test_a_refund_to_the_phone_of_who_was_erased_is_refused(business: Business) -> None:
    sale = await business.paid("500")
    business.forward(days=31)
    await erased(business, business.customer)
    with pytest.raises(NotRefundable):
        await ask_refund(business, sale, "100", Way.PAYOUT)
    refund = await ask_refund(business, sale)  # what the provider itself reverses needs no phone
    assert refund.customer == "erased customer"


async def reasons(business: Business, person: UUID) -> str:
    async with business.work() as work:
        return "\n".join(await standing.in_the_way(work, person))


async def test_nobody_is_erased_while_money_is_under_way(business: Business) -> None:
    paying = await business.pay("500")
    assert "under way" in await reasons(business, business.customer)
    await paying.sent()
    business.forward(days=2)
    assert "under way" in await reasons(business, business.customer)
    await paying.called(Succeeded("UKX1", kes("500")))
    assert await reasons(business, business.customer) == ""
    refund = await ask_refund(business, paying)
    assert "A refund of order" in await reasons(business, business.customer)
    async with business.work() as work:
        await decide.reject(work, business.owner, refund.id, "no")
        await wishes.wish(work, business.customer, paying.started.payment_id, "too small")
    assert "nobody has answered" in await reasons(business, business.customer)


async def test_nobody_is_erased_of_whose_second_payment_a_part_still_lies_there(business: Business) -> None:
    second = await paid_twice_by(business)
    business.forward(days=31)
    for reference, amount, left in (("D1", "200", "lies in suspense"), ("D2", "300", "")):
        await told(business, second.attempt, reference, amount)
        assert left in await reasons(business, business.customer)
    assert await reasons(business, business.customer) == ""


async def test_nobody_is_erased_who_waits_for_goods_or_works_here(business: Business) -> None:
    async with business.work() as work:
        lines = [Priced(name="Cake", price=kes("90"), quantity=1)]
        order = await shop_orders.place(work, business.customer, None, lines)
    await business.paid("90", order.id)
    business.forward(days=2)
    assert "not handed over" in await reasons(business, business.customer)
    business.forward(days=30)
    assert await reasons(business, business.customer) == ""
    for member in (business.cashier, business.owner):
        assert "on the staff" in await reasons(business, member)


async def test_all_that_is_held_is_shown_to_who_asks(business: Business) -> None:
    person = await customer_of(business)
    async with business.work() as work:
        told = await held.held(work, person)
        assert await people.name_of(work, person) == NAME
    assert told["person"]["name"] == NAME
    assert told["chats"][0]["phone"] == PHONE
    assert told["saved_methods"][0]["details"] == {"phone_number": "********5678"}
    assert {order["status"] for order in told["orders"]} >= {"paid", "open"}
    assert [talk["lines"][0]["words"] for talk in told["talks_with_the_staff"]] == [f"this is {NAME}"]
    assert {"received", "sent"} <= {key for message in told["messages"] for key in message}
    declined = next(each for each in told["record"] if each["action"] == "refund.wished")
    assert declined["facts"]["order"]


async def test_who_wishes_to_be_erased_is_passed_on_once_a_day(business: Business) -> None:
    for _ in range(2):
        async with business.teller(business.customer) as teller:
            await teller.wish_erasure()
    told = [news for news in await business.news(business.manager) if isinstance(news, ErasureWanted)]
    assert [news.customer for news in told] == ["Achieng"]
    assert await business.alerts() == ["person.wishes_erasure"]
    business.forward(days=2)
    async with business.teller(business.customer) as teller:
        await teller.wish_erasure()
    assert len(await business.alerts()) == 2
