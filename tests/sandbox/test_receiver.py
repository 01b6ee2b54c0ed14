"""The shop's own program: what it believes, and what it answers."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from bot.sandbox.receiver import wrong_with
from bot.sandbox.server import emulators
from services.webhooks import signing

SECRET, OLD = signing.new_secret(), signing.new_secret()
NOW = 1_795_000_000
AT = datetime.fromtimestamp(NOW, UTC)
RAW = b'{"type":"payment.succeeded","timestamp":"2026-11-29T09:00:00Z","data":{"id":"p1"}}'


class KnownEndpoint:
    secrets = (SECRET,)

    async def view(self):
        return {}


def signed(*secrets, at=NOW, body=RAW, **more):
    return {**signing.headers(secrets or (SECRET,), "msg_1", at, body), **more}


def test_it_takes_the_example_of_the_specification():
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py"""
    secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert wrong_with((f"whsec_{secret}",), headers, b'{"test": 2432232314}', 1614265330) is None


@pytest.mark.parametrize("offset", [-300, 0, 300])
def test_what_is_signed_within_five_minutes_is_right(offset):
    assert wrong_with((SECRET,), signed(at=NOW + offset), RAW, NOW) is None


def test_while_a_secret_is_replaced_one_of_two_signatures_is_enough():
    assert wrong_with((OLD,), signed(SECRET, OLD), RAW, NOW) is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (signed() | {"webhook-id": ""}, "webhook-id is missing"),
        ({"webhook-id": "msg_1"}, "webhook-timestamp is missing"),
        (signed() | {"webhook-timestamp": "soon"}, "webhook-timestamp is no number of seconds"),
        (signed(at=NOW - 301), "webhook-timestamp is more than five minutes from now"),
        (signed(at=NOW + 301), "webhook-timestamp is more than five minutes from now"),
        (signed(OLD), "webhook-signature is not by the secret of this endpoint"),
        (signed() | {"webhook-id": "msg_2"}, "webhook-signature is not by the secret of this endpoint"),
        (signed(body=b"{}"), "webhook-signature is not by the secret of this endpoint"),
        (
            signed() | {"webhook-signature": "v1,***"},
            "webhook-signature is not by the secret of this endpoint",
        ),
        (
            {name: value.replace("v1,", "v2,") for name, value in signed().items()},
            "webhook-signature is not by the secret of this endpoint",
        ),
    ],
)
def test_whatever_else_comes_is_not_believed(headers, said):
    assert wrong_with((SECRET,), headers, RAW, NOW) == said


def test_who_knows_no_secret_believes_nothing():
    empty = base64.b64encode(b"").decode()
    headers = signed() | {"webhook-signature": f"v1,{empty}"}
    assert wrong_with((), headers, RAW, NOW) == "webhook-signature is not by the secret of this endpoint"


@dataclass
class Program:
    url: str
    http: ClientSession

    async def post(self, path, raw, **headers):
        async with self.http.post(self.url + path, data=raw, headers=headers) as answer:
            return answer.status

    async def take(self, raw=RAW, **headers):
        return await self.post("/shop/webhooks", raw, **headers)

    async def posts(self):
        async with self.http.get(self.url + "/control/webhooks") as answer:
            return (await answer.json())["posts"]


@pytest.fixture
async def program(world):
    placed = replace(world, endpoint=KnownEndpoint(), receiver_seconds=0.2, now=lambda: AT)
    async with TestServer(emulators(placed)) as server, ClientSession() as http:
        yield Program(str(server.make_url("")).rstrip("/"), http)


async def test_it_answers_what_it_is_told_to_and_remembers_what_it_has_taken(program):
    for answer, status in (("500", 500), ("410", 410), ("200", 200), ("slow", 200)):
        assert await program.post("/control/webhooks", json.dumps({"answer": answer}).encode()) == 200
        assert await program.take(**signed()) == status
    told = [
        (each["try"], each["status"], each["after"], each["taken_before"]) for each in await program.posts()
    ]
    assert told == [(1, 500, 0, False), (2, 410, 0, False), (3, 200, 0, False), (4, 200, 0.2, True)]
    assert await program.post("/control/webhooks", b'{"answer": "204"}') == 400


async def test_what_is_not_believed_is_shown_answered_401_and_no_try(program):
    assert await program.take(b"[]", **signed(body=b"[]")) == 200
    assert await program.take(b"\xff") == 401
    right, wrong = await program.posts()
    assert (right["type"], right["wrong"]) == ("no event", None)
    assert (wrong["status"], wrong["body"], wrong["wrong"]) == (401, "\ufffd", "webhook-id is missing")


async def test_a_reset_forgets_them_and_takes_everything_again(program):
    await program.post("/control/webhooks", b'{"answer": "500"}')
    await program.take(**signed())
    assert await program.post("/control/reset", b"{}") == 200
    assert await program.posts() == []
    assert await program.take(**signed()) == 200
