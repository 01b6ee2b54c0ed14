"""What the doctor says of a tenant's templates, against the emulated Graph API and against none."""

import json
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.doctor.templates import templates
from bot.http import open_session
from bot.sandbox.seed import SHOP as STALL
from bot.sandbox.seed import TEMPLATES
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from bot.sending.purposes import Purpose
from bot.whatsapp.templates import TEMPLATES as SENT
from tests.bot.doctor.test_installation import TENANT
from tests.bot.market import NOWHERE

NAMED = {purpose.value: {"name": purpose.value, "language": "en", "languages": ["sw"]} for purpose in SENT}
SHOP = replace(TENANT, access_token=STALL.access_token, waba_id=STALL.account_id, templates=NAMED)
REQUEST = Purpose.WITHDRAWAL_REQUEST.value


async def found(tenant, url, http):
    return [(each.level, each.what) async for each in templates(tenant, http, f"{url}/v25.0")]


async def looked_at(tenant, known=TEMPLATES):
    world = World(app_url=NOWHERE, app_secret="s", shops=(STALL,), phones=(), templates=known)
    async with TestServer(emulators(world)) as server, open_session() as http:
        return await found(tenant, str(server.make_url("")).rstrip("/"), http)


def other(**changes):
    """The same templates, but for the English one that asks for an approval."""
    return tuple(
        replace(one, **changes) if (one.name, one.language) == (REQUEST, "en") else one for one in TEMPLATES
    )


async def test_templates_that_are_as_they_are_sent_are_good():
    assert await looked_at(SHOP) == [("good", "its templates are as they are sent")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "PAUSED"}, "is PAUSED: Meta sends it to nobody"),
        ({"status": "PENDING"}, "is PENDING: Meta sends it to nobody"),
        (
            {"category": "MARKETING"},
            "is in the category MARKETING, which costs more and stops with marketing",
        ),
        ({"body": "{{1}} asks for {{2}}."}, "has 2 parameters, and 7 are sent"),
        ({"buttons": ("Approve",)}, "has 1 quick replies"),
        ({"buttons": ()}, "has 0 quick replies"),
    ],
)
async def test_what_meta_would_refuse_is_found(changes, said):
    assert await looked_at(SHOP, other(**changes)) == [("warning", f"template {REQUEST} in en {said}")]


async def test_a_language_and_a_name_that_meta_does_not_know_are_found():
    named = NAMED | {REQUEST: {"name": REQUEST, "language": "en_US"}}
    named["payment_receipt"] = {"name": "thanks", "language": "en"}
    assert await looked_at(replace(SHOP, templates=named)) == [
        ("warning", f"Meta knows no template {REQUEST} in en_US, for {REQUEST}"),
        ("warning", "Meta knows no template thanks in en, for payment_receipt"),
    ]


async def test_what_the_file_lacks_is_found_without_asking_meta():
    found_ = await looked_at(replace(SHOP, templates={"withdrawal": NAMED[REQUEST]}, waba_id=None))
    assert found_ == [
        (
            "warning",
            (
                "who has not written for a day waits for withdrawal_request and payment_receipt: its file "
                "names no template"
            ),
        ),
        ("warning", "no message is sent by a template withdrawal"),
        ("warning", "its templates cannot be looked at: its file names no waba_id"),
    ]


@pytest.mark.parametrize(
    ("changes", "why"), [({"access_token": "wrong"}, "HTTP 401"), ({"waba_id": "7"}, "HTTP 400")]
)
async def test_what_meta_refuses_to_show_is_said(changes, why):
    assert await looked_at(replace(SHOP, **changes)) == [
        ("warning", f"its templates could not be looked at ({why})")
    ]


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"data": 7}', b'{"data": [7, {"name": []}]}'])
async def test_an_odd_answer_breaks_nothing(answer):
    async def odd(_request: web.Request) -> web.Response:
        return web.Response(body=answer)

    app = web.Application()
    app.router.add_get("/{tail:.*}", odd)
    async with TestServer(app) as server, open_session() as http:
        told = await found(SHOP, str(server.make_url("")).rstrip("/"), http)
    assert told
    assert {level for level, _ in told} == {"warning"}


async def test_graph_that_does_not_answer_is_said():
    async with open_session() as http:
        ((level, what),) = await found(SHOP, NOWHERE, http)
    assert level == "warning"
    assert "could not be looked at" in what


async def test_all_pages_are_read():
    many = tuple(replace(TEMPLATES[0], name=f"other_{n}") for n in range(120))
    assert await looked_at(SHOP, (*many, *TEMPLATES)) == [("good", "its templates are as they are sent")]


async def test_the_emulator_tells_pages_as_meta_does():
    world = World(app_url=NOWHERE, app_secret="s", shops=(STALL,), phones=(), templates=TEMPLATES)
    headers = {"Authorization": f"Bearer {STALL.access_token}"}
    async with TestServer(emulators(world)) as server, aiohttp.ClientSession(headers=headers) as http:
        url = server.make_url(f"/v25.0/{STALL.account_id}/message_templates?limit=20")
        async with http.get(url) as answer:
            page = json.loads(await answer.text())
        assert len(page["data"]) == 20
        async with http.get(page["paging"]["next"]) as answer:
            rest = json.loads(await answer.text())
    assert len(rest["data"]) == len(TEMPLATES) - 20
    assert "next" not in rest["paging"]
