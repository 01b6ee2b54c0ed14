"""What an operator does with tenants, by the real command line."""

import asyncio
import json

import pytest
import sqlalchemy as sa
from redis import Redis

from bot.parts import utc_now
from services import ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.money import Money
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import accounts, audit, tenants
from services.store.scope import OWNER
from services.work import Via, Work
from tests.e2e.installation import Installation
from tests.services.people.registry import FULL, SMALL


@pytest.fixture
def installation(tmp_path):
    """With its tables, on SQLite."""
    made = Installation(tmp_path, LIPACHAT_DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/lipachat.db")
    made.run("db", "upgrade")
    return made


def applied(installation, text, code=0):
    path = installation.folder / "shop.toml"
    path.write_text(text)
    return installation.run("tenant", "apply", str(path), code=code)


async def stop_payouts(installation):
    database = Database(installation.environment["LIPACHAT_DATABASE_URL"])
    async with database.transaction(OWNER) as connection:
        await connection.execute(
            sa.update(tenants).values(payouts_frozen=True, frozen_because="contradiction")
        )
    await database.close()


async def alerts_of(installation):
    database = Database(installation.environment["LIPACHAT_DATABASE_URL"])
    async with database.reading(OWNER) as connection:
        rows = await connection.execute(sa.select(audit.c.actor, audit.c.action).order_by(audit.c.seq))
        told = [tuple(row) for row in rows]
    await database.close()
    return told


def test_payouts_that_were_stopped_go_on_by_a_command_that_may_be_given_twice(installation):
    applied(installation, FULL)
    asyncio.run(stop_payouts(installation))
    assert json.loads(installation.run("tenant", "show", "mama-njeri"))["state"]["payouts_frozen"]
    for _ in range(2):
        said = json.loads(installation.run("tenant", "unfreeze", "mama-njeri"))
        assert said == {"slug": "mama-njeri", "payouts_frozen": False}
    assert not json.loads(installation.run("tenant", "show", "mama-njeri"))["state"]["payouts_frozen"]
    recorded = asyncio.run(alerts_of(installation))
    assert recorded == [("operator", "tenant.created"), ("operator", "payouts.unfrozen")]


async def spoil(installation, *statements):
    database = Database(installation.environment["LIPACHAT_DATABASE_URL"])
    async with database.transaction(OWNER) as connection:
        [tenant] = await connection.scalars(sa.select(tenants.c.id))
        work = Work(connection, Vault([bytes(32)]), tenant, utc_now(), Via("provider", "mpesa"))
        if not statements:
            await ledger.post(work, new_id(), [Transfer("provider:mpesa", WALLET, Money(500, "KES"), "gift")])
        for statement in statements:
            await connection.execute(statement)
    await database.close()


def test_a_chain_that_cannot_be_mended_is_accepted_by_the_operator_who_says_so(installation):
    applied(installation, FULL)
    asyncio.run(spoil(installation))
    asyncio.run(spoil(installation, sa.update(accounts).values(hash=bytes(32))))
    refused = installation.run("tenant", "unfreeze", "mama-njeri", code=1)
    assert "a transfer is as it was posted" in refused
    assert "--broken-chain" in refused
    asyncio.run(spoil(installation, sa.update(accounts).where(accounts.c.name == WALLET).values(held=1)))
    held = installation.run("tenant", "unfreeze", "mama-njeri", "--broken-chain", code=1)
    assert "held is the sum of the open holds" in held
    asyncio.run(spoil(installation, sa.update(accounts).values(held=0)))
    installation.run("tenant", "unfreeze", "mama-njeri", "--broken-chain")
    assert ("operator", "books.accepted") in asyncio.run(alerts_of(installation))


def test_one_way_out_is_stopped_and_goes_on_by_its_name(installation):
    applied(installation, FULL)
    for verb, stopped in (("freeze", True), ("unfreeze", False)):
        said = json.loads(installation.run("tenant", verb, "mama-njeri", "--rail", "till"))
        assert said == {"slug": "mama-njeri", "payouts_frozen": stopped, "rail": "till"}
        state = json.loads(installation.run("tenant", "show", "mama-njeri"))["state"]
        assert state.get("ways_stopped") == ({"till": "operator"} if stopped else None)
    assert "there are mpesa" in installation.run("tenant", "freeze", "mama-njeri", "--rail", "sms", code=1)


@pytest.mark.redis
def test_the_workers_hear_of_what_a_command_has_done_though_it_ends_at_once(installation, redis_url):
    installation.environment["LIPACHAT_REDIS_URL"] = redis_url
    applied(installation, FULL)
    with Redis.from_url(redis_url) as redis, redis.pubsub() as channel:
        channel.subscribe("lipachat:bell")
        channel.get_message(timeout=5)  # that it has
        for command in (("apply", "shop.toml"), ("unfreeze", "mama-njeri")):
            installation.run("tenant", *command)
            heard: set[str] = set()
            while not {"turns", "jobs"} <= heard:
                message = channel.get_message(timeout=5)
                assert message, f"nobody was rung for by {command}, but for {heard}"
                heard |= set(message["data"].decode().partition(" ")[2].split(","))


def test_a_tenant_that_is_not_there_cannot_be_unfrozen(installation):
    said = installation.run("tenant", "unfreeze", "nobody", code=1)
    assert said == "No tenant is called nobody.\n"


def test_an_entry_that_is_two_people_is_refused_with_its_line(installation):
    two = '\n[[staff]]\nname = "Njeri"\nphone = "0722000003"\nrole = "Owner"\n'
    applied(installation, SMALL + two)
    one = SMALL.replace('phone = "+254722000002"', 'phones = ["0722000002", "0722000003"]')
    said = applied(installation, one, code=1)
    assert "shop.toml:5: staff.0: stands for 2 people of the staff: " in said
    assert "Traceback" not in said
    assert len(json.loads(installation.run("tenant", "show", "mama-njeri"))["staff"]) == 2
