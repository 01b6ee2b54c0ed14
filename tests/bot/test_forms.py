"""The endpoint of forms, over real HTTP on both databases."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.forms import MOST_BYTES, InvalidToken, Tokens
from bot.whatsapp.forms import FormsKey, new_key
from flows.reply import Reply
from flows.text import Text
from services.ids import new_id
from tests.bot.door import FORMS_PUBLIC_PEM, NEW_SECRET, now, opened, signed
from tests.bot.phone_form import PhoneForm

PING = {"version": "3.0", "action": "ping"}
REPLY = Reply(Text("x"), thread="main", step="FillBank", nonce="n1")


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
def phone():
    return PhoneForm(FORMS_PUBLIC_PEM)


async def test_a_ping_is_answered_as_active(door, phone):
    answer = await door.exchange(phone.body(PING))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert phone.read(answer.text) == {"data": {"status": "active"}}


async def test_either_secret_signs_while_they_rotate(door, phone):
    body = phone.body(PING)
    assert (await door.exchange(body, signed(body, NEW_SECRET))).status == 200


@pytest.mark.parametrize("signature", ["", "sha256=00", signed(b"another body", NEW_SECRET)])
async def test_a_wrong_signature_is_432_whatever_it_holds(door, phone, signature):
    for body in (phone.body(PING), b"", b"no exchange"):
        answer = await door.exchange(body, signature)
        assert answer.status == 432
        assert signed(body, NEW_SECRET)[7:] not in answer.text


async def test_another_key_is_421_so_that_the_phone_fetches_ours(door):
    stale = PhoneForm(FormsKey(new_key()).public_pem)
    assert (await door.exchange(stale.body(PING))).status == 421


@pytest.mark.parametrize("action", ["INIT", "data_exchange"])
@pytest.mark.parametrize("told", [{"error": "x 4111111111111111"}, {"error_key": "y"}], ids=str)
async def test_an_error_that_a_phone_tells_is_acknowledged(door, phone, action, told):
    asked = {"version": "3.0", "action": action, "screen": "BANK", "flow_token": "gone", "data": told}
    answer = await door.exchange(phone.body(asked))
    assert (answer.status, phone.read(answer.text)) == (200, {"data": {"acknowledged": True}})


@pytest.mark.parametrize("token", [None, "", "x", 7, [], "A" * 300, "ü"], ids=repr)
async def test_a_token_that_is_none_of_ours_is_427_and_said_under_seal(door, phone, token):
    asked = {"version": "3.0", "action": "INIT", "flow_token": token}
    answer = await door.exchange(phone.body(asked))
    assert answer.status == 427
    assert phone.read(answer.text) == {"error_msg": "This form is no longer open. Please go on in the chat."}


@pytest.mark.parametrize(
    "asked",
    [
        b"{}",
        b"[]",
        b"null",
        b"no json",
        b'{"action": "INIT", "action": 7}',
        {"action": ["ping"]},
        {"action": {}},
    ],
    ids=repr,
)
async def test_what_no_phone_asks_is_400(door, phone, asked):
    assert (await door.exchange(phone.body(asked))).status == 400


async def test_a_body_that_is_too_large_is_413_told_or_not(door):
    large = b" " * (MOST_BYTES + 1)
    assert (await door.exchange(large)).status == 413

    async def pieces():
        yield large

    assert (await door.post("/webhooks/whatsapp/forms", pieces())).status == 413


async def test_only_post_is_answered(door):
    assert (await door.get("/webhooks/whatsapp/forms")).status == 405


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
actions = st.sampled_from(["ping", "INIT", "BACK", "data_exchange", "", "navigate"])
exchanges = st.fixed_dictionaries(
    {}, optional={"action": actions | anything, "flow_token": anything, "data": anything, "screen": anything}
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=exchanges | anything)
async def test_whatever_a_phone_asks_is_answered_and_is_no_fault_of_ours(door, phone, asked):
    answer = await door.exchange(phone.body(json.dumps(asked).encode()))
    assert answer.status in (200, 400, 427)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
async def test_whatever_comes_with_a_right_signature_is_a_clear_400(door, body):
    assert (await door.exchange(body)).status == 400


# --- tokens


class Clock:
    def __init__(self):
        self.at = now()

    def __call__(self):
        return self.at


def test_a_token_names_its_asking_and_nobody_else_can_make_one(vault):
    clock, tenant, chat = Clock(), new_id(), new_id()
    tokens = Tokens(vault, clock)
    token = tokens.make(tenant, chat, REPLY)
    ticket = Tokens(vault, clock).open(token)  # another process
    assert (ticket.tenant_id, ticket.conversation_id) == (tenant, chat)
    assert (ticket.asking.thread, ticket.asking.step, ticket.asking.nonce) == ("main", "FillBank", "n1")
    assert tokens.make(tenant, chat, REPLY) != token
    for at in range(0, len(token) - 1, 7):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(InvalidToken):
            tokens.open(changed)
    clock.at += timedelta(hours=24, seconds=1)
    with pytest.raises(InvalidToken):
        tokens.open(token)
