"""The OpenAPI document: made of the routes, checked in, and served beside a page to read it."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import main
from bot.api import docs, openapi
from bot.api.answers import Answer
from bot.api.every import ROUTES
from services.people.access import SCOPES
from tests.bot.door import opened

ROOT = Path(__file__).parents[2]
OPERATIONS = [
    (path, method, operation)
    for path, methods in openapi.document()["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


def test_every_route_says_who_may_what_it_is_and_what_it_answers():
    lacking = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if not (route.scopes and set(route.scopes) <= set(SCOPES) and route.summary and route.part)
        or not issubclass(route.answer, Answer)
    ]
    assert lacking == []
    assert [route.path for route in ROUTES if len(route.summary) > 110 or route.summary.endswith(".")] == []


def test_every_route_is_in_it_once_under_a_name_of_its_own():
    assert {(path, method.upper()) for path, method, _ in OPERATIONS} == {
        (route.path, route.method) for route in ROUTES
    }
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names)) == len(ROUTES)


def test_what_it_refers_to_is_there():
    components = openapi.document()["components"]
    for kind, name in re.findall(r'"#/components/(\w+)/([^"]+)"', openapi.written()):
        assert name in components[kind]


def test_no_body_and_no_answer_shares_its_name_with_another():
    models = {model for route in ROUTES for model in (route.body, route.answer) if model is not None}
    assert len({model.__name__ for model in models}) == len(models)
    assert not [name for name in openapi.document()["components"]["schemas"] if "__" in name]


def test_the_one_that_is_checked_in_is_what_is_made():
    again = "python main.py openapi > docs/openapi.json"
    assert (ROOT / "docs" / "openapi.json").read_text() == openapi.written(), f"write it anew: {again}"


def test_the_command_prints_it():
    printed = CliRunner().invoke(main.app, ["openapi"])
    assert (printed.exit_code, json.loads(printed.stdout)) == (0, openapi.document())


async def test_it_is_served_without_a_key(door):
    answer = await door.get("/openapi.json")
    assert (answer.status, json.loads(answer.text)) == (200, openapi.document())
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_the_page_fetches_nothing_from_elsewhere(door):
    page = await door.get("/docs")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    named = re.findall(r'(?:src|href)="docs/([^"]+)"', page.text)
    assert set(named) == set(docs.FILES)
    for name in named:
        assert (await door.get(f"/docs/{name}")).status == 200
    assert "http" not in page.text


@pytest.mark.parametrize("name", ["index.html", "README.md", "..%2Fdocs.py", "x"])
async def test_no_other_file_is_served(door, name):
    assert (await door.get(f"/docs/{name}")).status == 404
