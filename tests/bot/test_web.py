"""Meta's webhook over real HTTP on both databases: who is let in, what is kept, what is answered."""

import asyncio
import json
import zlib

import pytest

from bot.webhooks import MOST_BYTES
from bot.whatsapp.incoming import MOST_DEPTH
from services.store.schema import NOBODY
from tests.bot.door import NEW_SECRET, OLD_SECRET, VERIFY_TOKEN, envelope, opened, signed, text

PATH = "/webhooks/whatsapp"
HANDSHAKE = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
GOOD = json.dumps(envelope(text("w1"))).encode()
NOT_JSON = b"so long, and thanks"


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    return await door.open_shop()


# --- the handshake


async def test_the_handshake_gives_the_challenge_back_as_plain_text(door):
    answer = await door.get(PATH, **HANDSHAKE)
    assert (answer.status, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_challenge_with_markup_stays_text(door):
    answer = await door.get(PATH, **HANDSHAKE | {"hub.challenge": "<script>alert(1)</script>"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "wrong",
    [
        {"hub.verify_token": "guessed"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "\u00fcml\u00e4ut"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
    ],
    ids=repr,
)
async def test_a_wrong_handshake_is_403_and_gives_nothing_back(door, wrong):
    answer = await door.get(PATH, **HANDSHAKE | wrong)
    assert answer.status == 403
    assert "1158201444" not in answer.text
    assert VERIFY_TOKEN not in answer.text


async def test_a_handshake_without_anything_or_of_broken_bytes_is_403(door):
    assert (await door.get(PATH)).status == 403
    assert (await door.get(f"{PATH}?hub.mode=subscribe&hub.verify_token=%FF%FE")).status == 403


# --- the signature


@pytest.mark.parametrize("secret", [NEW_SECRET, OLD_SECRET], ids=["the first", "the second"])
async def test_either_of_two_rotating_secrets_may_have_signed(door, shop, secret):
    assert (await door.update(GOOD, signed(GOOD, secret))).status == 200
    assert await door.stored("external_id") == ["w1"]


RIGHT = signed(GOOD, OLD_SECRET)


@pytest.mark.parametrize(
    "signature",
    [
        signed(GOOD, b"another secret"),
        signed(GOOD + b" ", OLD_SECRET),
        signed(GOOD, b""),
        "sha256=",
        "sha256=" + "0" * 64,
        RIGHT.removeprefix("sha256="),
        RIGHT.replace("sha256", "sha1"),
        RIGHT + "00",
        RIGHT[:-1],
        "sha256=" + RIGHT.removeprefix("sha256=").upper(),
        "sha256=" + "g" * 64,
        f"{RIGHT}, {RIGHT}",
    ],
    ids=[
        "another secret",
        "another body",
        "no secret",
        "empty",
        "zeros",
        "no name",
        "sha1",
        "too long",
        "too short",
        "upper case",
        "no hex",
        "twice",
    ],
)
async def test_a_signature_that_is_forged_or_malformed_is_401_and_stores_nothing(door, shop, signature):
    answer = await door.update(GOOD, signature)
    assert answer.status == 401
    assert "signature" in answer.text
    assert await door.stored("external_id") == []
    right = {signed(GOOD, secret).removeprefix("sha256=") for secret in (OLD_SECRET, NEW_SECRET)}
    told = answer.text + repr(answer.headers)
    assert not any(digest in told for digest in right), "the answer tells the right signature"


async def test_a_missing_signature_is_401(door, shop):
    assert (await door.post(PATH, GOOD)).status == 401
    sha1_only = {"X-Hub-Signature": "sha1=" + "0" * 40}
    assert (await door.post(PATH, GOOD, **sha1_only)).status == 401


# --- the order of the checks


def of_size(size):
    """A signed object of this many bytes."""
    empty = json.dumps(envelope(text("w1", ""))).encode()
    return json.dumps(envelope(text("w1", "x" * (size - len(empty))))).encode()


async def in_pieces(body):
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]


async def test_a_body_of_exactly_the_limit_is_taken(door, shop):
    body = of_size(MOST_BYTES)
    assert len(body) == 4 * 1024 * 1024
    assert (await door.update(body)).status == 200
    told = {"X-Hub-Signature-256": signed(body, OLD_SECRET)}
    assert (await door.post(PATH, in_pieces(body), **told)).status == 200
    assert await door.stored("external_id") == ["w1"]


@pytest.mark.parametrize("signature", ["right", "none"])
@pytest.mark.parametrize("sent", ["whole", "in pieces"])
async def test_a_body_above_the_limit_is_413_whoever_signed_it(door, shop, signature, sent):
    body = of_size(MOST_BYTES + 1)
    told = {"X-Hub-Signature-256": signed(body, OLD_SECRET)} if signature == "right" else {}
    answer = await door.post(PATH, body if sent == "whole" else in_pieces(body), **told)
    assert answer.status == 413
    assert await door.stored("external_id") == []


async def test_what_is_too_large_is_refused_by_its_length_before_it_has_come(door, shop):
    """The client waits for leave to send the body, and gets the refusal at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()
    await writer.wait_closed()


def deep(levels):
    return b'{"entry":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


WRONG_BODIES = {
    "empty": b"",
    "words": NOT_JSON,
    "half": GOOD[:-1],
    "two": GOOD + GOOD,
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "too deep": deep(MOST_DEPTH + 1),
    "far too deep": deep(500_000),
    "NaN": b'{"entry":[{"id":NaN}]}',
    "Infinity": b'{"entry":[{"id":-Infinity}]}',
    "broken UTF-8": b'{"entry":[{"id":"\xff\xfe"}]}',
    "a surrogate in UTF-8": b'{"entry":[{"id":"\xed\xa0\x80"}]}',
    "UTF-16": '{"entry":[]}'.encode("utf-16"),
    "single quotes": b"{'entry':[]}",
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
async def test_what_is_no_json_object_is_401_unsigned_and_400_signed(door, shop, body):
    assert (await door.post(PATH, body)).status == 401
    answer = await door.update(body)
    assert answer.status == 400
    assert answer.text.startswith("Not a JSON object as Meta sends: ")
    assert await door.stored("external_id") == []


async def test_the_signature_is_over_the_bytes_as_they_came(door, shop):
    """Nothing is decompressed before it, and so nothing after it."""
    packed = zlib.compress(GOOD)
    told = {"Content-Encoding": "deflate"}
    assert (await door.post(PATH, NOT_JSON, **told)).status == 401
    signature = {"X-Hub-Signature-256": signed(GOOD, OLD_SECRET)}
    assert (await door.post(PATH, packed, **told, **signature)).status == 401
    signature = {"X-Hub-Signature-256": signed(packed, OLD_SECRET)}
    assert (await door.post(PATH, packed, **told, **signature)).status == 400
    assert await door.stored("external_id") == []


# --- whatever it holds


ODD = {
    "nothing": {},
    "no entry": {"object": "whatsapp_business_account"},
    "an entry of another kind": {"entry": 7},
    "no entries": {"entry": []},
    "as deep as may be": json.loads(deep(MOST_DEPTH)),
    "another object": {"object": "page", "entry": [{"id": "1", "changes": []}]},
    "another field": {"entry": [{"changes": [{"field": "account_update", "value": {"event": "x"}}]}]},
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
async def test_an_object_of_any_shape_is_200(door, shop, body):
    assert (await door.update(body)).status == 200


LARGE = "1" + "0" * 5000
ODD_NUMBERS = [LARGE, f"-{LARGE}", "1e999", "-1e999", "1E-999", "0.1" + "0" * 5000, "-0"]


@pytest.mark.parametrize("number", ODD_NUMBERS, ids=lambda number: number[:8])
async def test_a_number_of_any_size_is_stored_as_json(door, shop, number):
    raw = json.dumps(envelope(text("w1", odd="HERE", timestamp="HERE"))).replace('"HERE"', number)
    assert (await door.update(raw.encode())).status == 200

    def no_constant(word):
        raise AssertionError(f"{word} is no JSON")

    json.loads(await door.body("w1"), parse_constant=no_constant, parse_int=str)


async def test_of_a_key_that_comes_twice_the_last_counts(door, shop):
    twice = json.dumps(envelope(text("w1"))).replace('"id": "w1"', '"id": "w0", "id": "w1"')
    assert (await door.update(twice.encode())).status == 200
    assert await door.stored("external_id") == ["w1"]


UNSTORABLE = ["\x00", "\ud800", "a\x00b\udfffc"]  # PostgreSQL's text takes neither


@pytest.mark.parametrize("odd", UNSTORABLE, ids=ascii)
async def test_text_that_no_column_takes_costs_no_neighbour(door, shop, odd):
    contact = {"profile": {"name": f"Wanjiku{odd}"}, "wa_id": "254712345678"}
    body = envelope(text(f"w1{odd}"), text("w2"), statuses=[{"id": f"s{odd}", "status": f"sent{odd}"}])
    body["entry"][0]["changes"][0]["value"]["contacts"] = [contact]
    body["entry"].append({"changes": [{"field": f"odd{odd}", "value": {}}]})
    body["entry"].append(envelope(text("w3"), number=f"106{odd}")["entry"][0])
    assert (await door.update(body)).status == 200
    assert (await door.update(body)).status == 200
    stored = await door.stored("external_id")
    assert len(stored) == 5
    assert {"w2", "w3"} <= set(stored)


async def test_two_ids_that_differ_only_in_what_no_column_takes_are_two_events(door, shop):
    assert (await door.update(envelope(text("w\x00"), text("w\ud800"), text("w")))).status == 200
    assert len(await door.stored("external_id")) == 3


async def test_two_long_ids_that_begin_alike_are_two_events(door, shop):
    assert (await door.update(envelope(text("w" * 600 + "1"), text("w" * 600 + "2")))).status == 200
    assert len(await door.stored("external_id")) == 2


async def test_a_thousand_updates_in_one_post_are_all_stored_in_order(door, shop):
    ids = [f"w{n}" for n in range(1000)]
    body = envelope(*(text(id_, **{"from": f"2547{n % 50:08}"}) for n, id_ in enumerate(ids)))
    assert (await door.update(body)).status == 200
    assert await door.stored("external_id") == ids


async def test_a_message_to_a_number_that_nobody_has_is_kept_and_says_why(door, shop):
    assert (await door.update(envelope(text("w1"), number="999"))).status == 200
    (row,) = await door.stored("tenant_id", "state", "error")
    assert row == (NOBODY, "kept", "no tenant has this phone_number_id")


async def test_a_message_told_again_is_stored_once_however_it_is_batched(door, shop):
    assert (await door.update(GOOD)).status == 200
    assert (await door.update(GOOD)).status == 200
    assert (await door.update(envelope(text("w0"), text("w1"), text("w2"), text("w1")))).status == 200
    assert await door.counted() == {"w0": 1, "w1": 1, "w2": 1}


async def test_overlapping_batches_in_opposite_order_at_once_store_each_once(door, shop):
    ids = [f"w{n}" for n in range(60)]
    phones = [f"2547000000{n:02}" for n in range(60)]
    batch = [text(id_, **{"from": phone}) for id_, phone in zip(ids, phones, strict=True)]
    posts = [envelope(*batch[start : start + 20]) for start in range(0, 50, 10)]
    turned = [envelope(*reversed(batch[start : start + 20])) for start in range(0, 50, 10)]
    answers = await asyncio.gather(*(door.update(body) for body in (*posts, *turned) * 3))
    assert {answer.status for answer in answers} == {200}
    assert await door.counted() == dict.fromkeys(ids, 1)


@pytest.mark.parametrize("timestamp", ["1795510800", 1795510800, "1795510800000", 1795510800000, "soon"])
async def test_a_timestamp_in_seconds_milliseconds_or_none_is_taken(door, shop, timestamp):
    assert (await door.update(envelope(text("w1", timestamp=timestamp)))).status == 200
    assert await door.stored("external_id", "state") == [("w1", "waiting")]


@pytest.mark.parametrize(
    ("phone", "user_id", "state"),
    [
        ("254712345678", "KE.77", "waiting"),
        ("254712345678", None, "waiting"),
        (None, "KE.77", "waiting"),
        (None, None, "kept"),
        ("", "", "kept"),
    ],
)
async def test_a_sender_is_known_by_phone_by_user_id_or_not_at_all(door, shop, phone, user_id, state):
    message = text("w1", **{"from": phone, "from_user_id": user_id})
    assert (await door.update(envelope(message))).status == 200
    assert await door.stored("state") == [state]


async def test_a_shop_that_is_switched_off_says_that_it_takes_no_messages(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(active=False)
        assert (await door.update(envelope(text("w1", "pay 500")))).status == 200
        (message,) = await door.hears()
    assert message["text"]["body"] == (
        "Mama Njeri is not taking messages here at the moment. Please try again later."
    )
