"""Bad input on every route: each is asked wrongly in every way, in the order in which it is judged. The code
is right, the problem says what to do, nothing has changed in any table. What is another tenant's is in
test_api_isolation.py, what only some routes can be asked in test_api_hostile.py."""

import re
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from bot.access import ApiSettings
from bot.api.every import ROUTES
from bot.api.queries import CURSOR, LIMIT
from services.ids import new_id
from services.people import apikeys
from services.people.access import SCOPES
from services.store.schema import metadata, staff
from services.store.scope import OWNER
from tests.bot.caller import Caller, caller
from tests.bot.door import opened
from tests.bot.test_api import change
from tests.bot.test_api_isolation import QUERY, busy_shop

WITH_BODY = [(route, route.body) for route in ROUTES if route.body is not None]
POSTS = [route for route in ROUTES if route.method == "POST"]
PAGED = [route for route in ROUTES if CURSOR in route.query]
WITH_IDS = [route for route in ROUTES if "{" in route.path]
UNLIMITED = ApiSettings(per_minute=10**6, tenant_per_minute=10**6, wrong_per_minute=10**6)
SEEN = {"api_answers", "api_keys", "audit", "audit_heads"}  # that somebody has asked, and was refused

NO_OBJECTS = [b"{", b"[]", b"null", b'"x"', b"1", b"\xff", b'{"a":NaN}', b'{"a":1,"a":1}', b'{"\\u0000":1}']
NO_OBJECTS += [b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 9000, b"{} {}", b"<x/>", b"a=1&b=2"]
WRONG_TYPES: list[object] = [None, True, 1.5, -1, 10**30, "", [], {}, [[]], {"a": {}}, ["x"], [None]]
TEXTS = ["' OR '1'='1' --", "'; DROP TABLE transfers; --", "<script>alert(1)</script>", "{{7*7}}", "%s%n${x}"]
TEXTS += ["\u202e\u200b🙏", "=1+1", "../../etc/passwd", "x" * 5000, "\r\nX-Injected: 1"]
NO_IDS = [*TEXTS, "0", "-1", "null", "1e9", "{}", str(new_id()).upper() + "0", "\ud7ff"]
BAD_CURSORS = ["", "x", "-1", "1.5", "9" * 40, "' OR 1=1 --", "<script>", "\u0660", "a" * 3000, "==", "\0"]
BAD_LIMITS = ["", "0", "-1", "201", "1.5", "x", "1e2", "\u0661", "9" * 40, "0x10"]
BAD_KEYS = ["", '""', "a b", "x" * 256, "é", "a\tb"]


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault, api=UNLIMITED) as door:
        yield door


@pytest.fixture
async def shop(door):
    return await busy_shop(door)


@pytest.fixture
async def mine(door, shop):
    """By one who may do everything there."""
    mine = await caller(door, shop, "Kamau")
    await mine.get("/wallet")  # its use is noted
    return mine


async def whole(door):
    """Every row of every table but those that keep what was asked."""
    async with door.database.reading(OWNER) as connection:
        return {
            table.name: sorted(map(repr, await connection.execute(sa.select(table))))
            for table in metadata.sorted_tables
            if table.name not in SEEN
        }


@pytest.fixture
async def unchanged(door, mine):
    """That nothing has, when the test is over."""
    before = await whole(door)
    yield
    assert await whole(door) == before


def path_of(route, each=None):
    """With an id of nothing that there is, or this one."""
    id_ = quote(str(new_id()) if each is None else each, safe="")
    return re.sub(r"\{\w+\}", id_, route.path)


async def refused(who, route, status, codes, path=None, body=b"", **headers):
    """Asks, and has it refused so."""
    told = body if route.method != "GET" else None
    said = await who.call(route.method, path or path_of(route) + QUERY.get(route.path, ""), told, **headers)
    where = f"{route.method} {path or route.path} {str(body)[:60]} {headers} -> {said.raw[:300]!r}"
    assert said.status == status, where
    assert said.headers["Content-Type"] == "application/problem+json", where
    problem = said.body
    assert problem["code"] in codes, where
    assert (problem["status"], problem["request_id"]) == (status, said.headers["X-Request-Id"])
    assert re.search(r"\w+ .*\w", problem["detail"]), where  # a sentence
    assert "Traceback" not in problem["detail"]
    assert "sqlalchemy" not in said.raw.decode().lower()
    assert "X-Injected" not in said.headers
    return problem


@pytest.mark.usefixtures("unchanged")
async def test_without_a_right_key_nothing_else_is_looked_at(door, mine):
    body = f"{mine.prefix}_{'0' * 64}"
    forged = f"{body}_{apikeys._checksum(body)}"
    for route in ROUTES:
        for key in ("", "x", forged, mine.key[:-1], mine.key + "0", "' OR 1=1 --"):
            await refused(Caller(door, key), route, 401, {"unauthenticated"}, body=b"{")


async def test_without_its_scope_nothing_is_read_or_done(door, shop, mine):
    before = await whole(door)
    ours = staff.c.tenant_id == shop
    for scopes in {route.scopes for route in ROUTES}:
        await change(door, staff, ours, role=None, scopes=sorted(set(SCOPES) - set(scopes)))
        for route in ROUTES:
            if route.scopes != scopes:
                continue
            problem = await refused(mine, route, 403, {"missing_scope"}, body=b"{")
            assert problem["required_scope"] == scopes[0]
            assert scopes[0] in problem["detail"]
    after = await whole(door)
    assert {name for name in after if after[name] != before[name]} == {"staff"}  # which the test has changed


@pytest.mark.usefixtures("unchanged")
async def test_what_is_no_object_is_400_before_anything_is_looked_for(mine):
    for route, _ in WITH_BODY:
        for body in NO_OBJECTS:
            await refused(mine, route, 400, {"malformed_body"}, body=body)


@pytest.mark.usefixtures("unchanged")
async def test_a_field_that_there_is_not_is_400(mine):
    for route, model in WITH_BODY:
        problem = await refused(mine, route, 400, {"unknown_field", "malformed_body"}, body={"nobody": 1})
        if not takes_some(model):
            assert (problem["code"], problem["field"]) == ("unknown_field", "nobody")


@pytest.mark.usefixtures("unchanged")
async def test_a_wrong_type_is_a_plain_no_on_every_field(mine):
    for route, model in WITH_BODY:
        for name in model.model_fields:
            for wrong in WRONG_TYPES:
                said = await mine.call(route.method, path_of(route), {name: wrong})
                where = f"{route.method} {route.path} {name}={wrong!r} -> {said.status} {said.raw[:200]!r}"
                assert said.status in (400, 404, 422), where
                assert said.status != 404 or "{" in route.path, where
                assert len(said.body["detail"]) > 5, where


@pytest.mark.usefixtures("unchanged")
async def test_a_huge_body_is_413(mine):
    for route in ROUTES:
        if route.method in ("POST", "PUT") and not route.file:
            await refused(mine, route, 413, {"body_too_large"}, body=b" " * (route.most_bytes + 1))


@pytest.mark.usefixtures("unchanged")
async def test_text_of_other_languages_is_text_wherever_it_stands(mine):
    """As an id and as a value: of databases, of pages, of spreadsheets."""
    for route in WITH_IDS:
        for text in (each[:1000] for each in NO_IDS):  # a longer address is none of HTTP's
            said = await mine.call(
                route.method, path_of(route, text) + QUERY.get(route.path, ""), _nothing(route)
            )
            assert said.status in (400, 404), (route.path, text, said.raw[:200])
            assert text not in said.raw.decode() or len(text) < 5
    for route, model in WITH_BODY:
        if route.path == "/api/v1/payouts/stop":
            continue  # takes any reason, and stops them
        for text in TEXTS:
            every = dict.fromkeys(model.model_fields, text)
            said = await mine.call(route.method, path_of(route), every)
            assert said.status in (400, 404, 422), (route.path, text, said.raw[:200])
            assert said.headers["Content-Type"] == "application/problem+json"


def takes_some(model):
    return any(field.is_required() for field in model.model_fields.values())


def _nothing(route):
    return None if route.method in ("GET", "DELETE") else {}


@pytest.mark.usefixtures("unchanged")
async def test_a_bad_cursor_or_limit_is_400_on_every_list(mine):
    assert len(PAGED) >= 4
    for route in PAGED:
        for cursor in BAD_CURSORS:
            path = f"{path_of(route)}?cursor={quote(cursor)}"
            problem = await refused(mine, route, 400, {"invalid_cursor"}, path)
            assert "cursor" in problem["detail"].lower()
        assert LIMIT in route.query
        for limit in BAD_LIMITS:
            path = f"{path_of(route)}?limit={quote(limit)}"
            problem = await refused(mine, route, 400, {"invalid_limit"}, path)
            assert "from 1 to 200" in problem["detail"]


@pytest.mark.usefixtures("unchanged")
async def test_a_question_that_there_is_not_is_400_everywhere(mine):
    for route in ROUTES:
        body = b"" if route.method == "GET" else b"{}"
        if route.file or (route.body and takes_some(route.body)):
            continue  # what is wrong with the body is told first
        path = f"{path_of(route)}?nobody=1"
        assert (await refused(mine, route, 400, {"unknown_field"}, path, body))["field"] == "nobody"


@pytest.mark.usefixtures("unchanged")
async def test_the_same_again_is_the_same_and_another_under_the_same_key_is_refused(mine):
    """Of refusals too, on every POST."""
    for number, route in enumerate(POSTS):
        key, path = {"Idempotency-Key": f"key {number}".replace(" ", "-")}, path_of(route)
        first, again = [await mine.call("POST", path, {"nobody": 1}, **key) for _ in range(2)]
        assert (first.status, again.status, again.raw) == (first.status, first.status, first.raw), path
        assert first.status in (400, 415, 422), (path, first.raw)
        assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (
            False,
            "true",
        )
        other = await mine.call("POST", path, {"somebody": 2}, **key)
        assert (other.status, other.code) == (422, "idempotency_key_reused"), path
        for wrong in BAD_KEYS:
            said = await mine.call("POST", path, {}, **{"Idempotency-Key": wrong})
            assert (said.status, said.code) == (400, "invalid_idempotency_key"), (path, wrong)
            assert "1 to 255" in said.body["detail"]
