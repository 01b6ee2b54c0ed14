"""Intake on both databases: stored once, in order, whoever the sender is known as."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.intake import Intake
from bot.whatsapp.incoming import read
from services.ids import new_id
from services.people.tenants import TenantBook
from services.safety.vault import Vault
from services.store.bell import Bell
from services.store.schema import NOBODY, conversations, inbox, tenants
from services.store.scope import OWNER

NUMBER = "106540352242922"


def now():
    return datetime.now(UTC)


@pytest.fixture
async def intake(database):
    async with database.transaction(OWNER) as connection:
        await connection.execute(
            sa.insert(tenants).values(
                id=new_id(),
                slug="mama-njeri",
                name="Mama Njeri",
                active=True,
                currency="KES",
                country="KE",
                timezone="Africa/Nairobi",
                language="en",
                payment_fee_ppm=0,
                phone_number_id=NUMBER,
                templates={},
                approvals=1,
                approval_hours=24,
                new_destination_hours=0,
                version=1,
                created_at=now(),
            )
        )
    vault = Vault([bytes(range(32))])
    return Intake(database, vault, TenantBook(database, vault, now), Bell(), now)


def post(*messages, number=NUMBER, statuses=()):
    value = {"metadata": {"phone_number_id": number}, "messages": list(messages), "statuses": list(statuses)}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return read(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())


def text(id_, phone="254712345678", user_id=None, body="menu"):
    message = {"id": id_, "type": "text", "text": {"body": body}, "timestamp": "1749416383"}
    if phone:
        message["from"] = phone
    if user_id:
        message["from_user_id"] = user_id
    return message


async def rows(database, query):
    async with database.reading(OWNER) as connection:
        return (await connection.execute(query)).all()


async def test_the_same_event_is_stored_once_however_it_is_batched_again(intake, database):
    await intake.store(post(text("w1"), text("w2")))
    await intake.store(post(text("w2"), text("w3"), text("w3")))
    stored = await rows(database, sa.select(inbox.c.external_id))
    assert sorted(row[0] for row in stored) == ["w1", "w2", "w3"]


async def test_each_status_of_a_message_is_an_event_of_its_own(intake, database):
    words = ["sent", "delivered", "read", "sent"]
    await intake.store(post(statuses=[{"id": "w1", "status": word} for word in words]))
    stored = await rows(database, sa.select(inbox.c.status))
    assert sorted(row[0] for row in stored) == ["delivered", "read", "sent"]


async def test_a_person_known_by_phone_by_user_id_or_both_has_one_conversation(intake, database):
    await intake.store(post(text("w1", "254712345678", None)))
    await intake.store(post(text("w2", "254712345678", "KE.77")))
    await intake.store(post(text("w3", None, "KE.77")))
    stored = await rows(database, sa.select(inbox.c.conversation_id))
    assert len({row[0] for row in stored}) == 1
    assert stored[0][0] is not None


async def test_a_user_id_that_now_comes_with_a_known_phone_moves_to_that_phones_chat(intake, database):
    await intake.store(post(text("w1", "254712345678", None)))
    await intake.store(post(text("w2", None, "KE.77")))
    await intake.store(post(text("w3", "254712345678", "KE.77")))
    await intake.store(post(text("w4", None, "KE.77")))
    stored = dict(await rows(database, sa.select(inbox.c.external_id, inbox.c.conversation_id)))
    assert stored["w1"] == stored["w3"] == stored["w4"]
    assert stored["w2"] != stored["w1"]


async def test_messages_of_one_post_keep_their_order_whatever_their_ids(intake, database):
    await intake.store(post(text("w9"), text("w1"), text("w5")))
    stored = await rows(database, sa.select(inbox.c.external_id).order_by(inbox.c.received_at, inbox.c.seq))
    assert [row[0] for row in stored] == ["w9", "w1", "w5"]


async def test_a_hundred_posts_at_once_share_commits_and_lose_nothing(intake, database):
    await asyncio.gather(
        *(intake.store(post(text(f"w{n}", f"2547123450{n % 10:02}"), text("same"))) for n in range(100))
    )
    stored = await rows(database, sa.select(inbox.c.external_id, inbox.c.state))
    assert len(stored) == 101
    assert {row[1] for row in stored} == {"waiting"}
    assert len(await rows(database, sa.select(conversations.c.id))) == 11


async def test_two_processes_that_meet_a_new_person_at_once_make_one_conversation(intake, database):
    other = Intake(database, intake._vault, intake._tenants, Bell(), now)
    await asyncio.gather(
        *(one.store(post(text(f"w{n}"))) for n, one in enumerate([intake, other] * 10)),
    )
    assert len(await rows(database, sa.select(conversations.c.id))) == 1
    assert len(await rows(database, sa.select(inbox.c.seq))) == 20


@pytest.mark.parametrize("known_by", [{"phone": "254712345678"}, {"phone": None, "user_id": "KE.1"}])
async def test_a_person_stays_the_same_while_keys_rotate(intake, database, known_by):
    await intake.store(post(text("w1", **known_by)))
    rotated = Vault([bytes(range(1, 33)), bytes(range(32))])
    later = Intake(database, rotated, TenantBook(database, rotated, now), Bell(), now)
    await later.store(post(text("w2", **known_by)))
    assert len(await rows(database, sa.select(conversations.c.id))) == 1


async def test_a_message_to_an_unknown_number_is_kept_and_says_why(intake, database):
    await intake.store(post(text("w1"), number="999"))
    ((tenant, state, error),) = await rows(
        database, sa.select(inbox.c.tenant_id, inbox.c.state, inbox.c.error)
    )
    assert (tenant, state) == (NOBODY, "kept")
    assert error == "no tenant has this phone_number_id"


async def test_no_phone_and_no_words_can_be_read_in_the_tables(intake, database):
    await intake.store(post(text("w1", body="my secret wish")))
    sealed = await rows(database, sa.select(conversations.c.phone_sealed, conversations.c.phone_index))
    bodies = await rows(database, sa.select(inbox.c.body_sealed))
    everything = b"".join(sealed[0]) + bodies[0][0]
    assert b"712345678" not in everything
    assert b"secret" not in everything
