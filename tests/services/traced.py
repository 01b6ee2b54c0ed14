"""Traced: a customer who has left traces wherever a person leaves them, and what the database tells then."""

import base64
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import handoff, inbox
from services.ids import new_id
from services.news.staff import SaleMade
from services.payments import methods
from services.people import customers
from services.privacy import detach, erase, standing, sweep
from services.refunds import wishes
from services.safety.rotation import SEALED
from services.shop import orders as shop_orders
from services.shop.facts import Priced
from services.store import schema
from services.store.schema import metadata
from services.store.scope import AUDITOR
from tests.services.business import NEW_WAY, PHONE, Business, kes

NAME, USER_ID = "Zawadi Baraka", "KE.9182736450192837"
DIGITS = "712345678"
WAMID = "wamid." + base64.b64encode(b"\x1d\x05\x15\x02\x12\x18\x14254712345678\x15\x02\x00\x11\x18").decode()


async def customer_of(business: Business) -> UUID:
    """One with traces wherever a person leaves them."""
    async with business.work() as work:
        known, new = await customers.add(work, PHONE, USER_ID, NAME)
        assert new
        (chat,) = await detach.chats_of(work, known.id)
    business.customer, business.chats[known.id] = known.id, chat.id
    business.scopes |= {known.id: frozenset()}
    sale = await business.paid("500")
    await business.pay("70")
    async with business.behind() as work:
        details = {"phone_number": PHONE}
        await methods.save(work, known.id, NEW_WAY.method, details)
        await wishes.wish(work, known.id, sale.started.payment_id, f"I am {NAME}, 0712 345 678")
        (wish,) = (await work.connection.execute(sa.select(schema.refund_wishes.c.id))).scalars()
        await wishes.decline(work, business.manager, wish, f"{NAME} has worn it")
        lines = [Priced(name=f"Cake for {NAME}", price=kes("90"), quantity=1)]
        await shop_orders.place(work, known.id, chat.id, lines, f"to {NAME}, 0712345678")
        talk = await handoff.ask(work, known.id, chat.id, [f"this is {NAME}"])
        await handoff.take(work, business.owner, business.chats[business.owner], talk)
        sold = SaleMade(number="1", amount=kes("1"), customer=NAME, provider="mpesa", method="x")
        await inbox.tell(work, business.chats[business.manager], sold)
        await _traffic(work, business, chat.id)
    async with business.behind() as work:
        await work.connection.execute(sa.update(schema.inbox).values(state="done"))
    return known.id


async def _traffic(work: Any, business: Business, chat: UUID) -> None:
    """Messages of and to the customer, a status, a callback, words to the staff, and a note of a payout."""
    rows = schema.inbox
    for kind, external, body in (
        ("message", WAMID, f'{{"from":"254712345678","text":"{NAME}"}}'),
        ("status", f"{WAMID}=", '{"recipient_id":"254712345678"}'),
        ("hook", str(new_id()), '{"Body":{"MSISDN":254712345678}}'),
    ):
        of = {"tenant_id": work.tenant, "kind": kind, "external_id": external, "status": ""}
        when = {"state": "done", "due_at": work.now, "received_at": work.now}
        sealed = work.vault.seal(body.encode(), work.tenant, "inbox.body", f"{kind}|{external}|")
        owner = chat if kind == "message" else None
        await work.connection.execute(
            sa.insert(rows).values(**of, **when, conversation_id=owner, body_sealed=sealed)
        )
    to_staff = business.chats[business.manager]
    for seq, (to, text) in enumerate(((chat, "Hello"), (to_staff, f"{NAME} has paid")), start=9001):
        sealed = work.vault.seal(f'{{"text":"{text}"}}'.encode(), work.tenant, "outbox.body", str(seq))
        message = {"seq": seq, "tenant_id": work.tenant, "conversation_id": to, "body_sealed": sealed}
        when = {"state": "read", "due_at": work.now, "created_at": work.now}
        await work.connection.execute(sa.insert(schema.outbox).values(**message, **when, wamid=WAMID))
    place = work.vault.seal(
        f'{{"who":"{PHONE}"}}'.encode(), work.tenant, "conversations.place", str(to_staff)
    )
    await work.connection.execute(
        sa.update(schema.conversations)
        .where(schema.conversations.c.id == to_staff)
        .values(place_sealed=place)
    )


async def everything(business: Business) -> str:
    """All that is in the database, what is sealed both as it is and opened."""
    opened = {each.column: each for each in SEALED}
    told = []
    async with business.database.reading(AUDITOR) as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                told.append(repr(row))
                for column in table.c:
                    value = row._mapping[column]
                    if column in opened and value:
                        how = opened[column]
                        tenant = row._mapping[how.tenant]
                        plain = business.vault.open(value, tenant, how.name, how.row(row))
                        told.append(plain.decode("latin-1"))
    return "\n".join(told)


async def indexed(business: Business) -> int:
    """How many rows the customer's number or id leads to."""
    found = 0
    async with business.database.reading(AUDITOR) as connection:
        for column, value in (("phone", PHONE), ("user_id", USER_ID)):
            index = business.vault.index(value, business.tenant, f"conversations.{column}")
            chats = schema.conversations.c[f"{column}_index"]
            found += len((await connection.execute(sa.select(chats).where(chats == index))).all())
        found += len((await connection.execute(sa.select(schema.saved_methods.c.id))).all())
    return found


async def erased(business: Business, person: UUID) -> tuple[dict[str, int], dict[str, int]]:
    async with business.work() as work:
        assert await standing.in_the_way(work, person) == []
        traces = await detach.traces_of(work, person)
        chats = [chat.id for chat in await detach.chats_of(work, person)]
        counted = await erase.counted(work, person)
        await detach.detach(work, person)
    async with business.behind() as work:
        await work.connection.execute(sa.update(schema.inbox).values(state="done"))
        late = schema.outbox.c.seq == 9001  # said while every process forgets them
        await work.connection.execute(sa.update(schema.outbox).where(late).values(state="waiting"))
    found = await sweep.sweep(business.database, business.vault, business.tenant, traces, chats)
    assert not found.left
    async with business.work() as work:
        await erase.lock(work, person)
        done = await erase.erase(work, person, traces, dict(found.emptied))
    assert counted.keys() - found.emptied.keys() <= done.keys()
    return done, dict(found.emptied)
