"""Described: whether an answer is what the OpenAPI document says of its call."""

import json
import re
from functools import cache
from http import HTTPStatus

from bot.api import openapi
from bot.api.every import ROUTES

document = cache(openapi.document)


def check(method, path, status, headers, raw):
    """A call that there is not is not described either."""
    route = _route(method, path.partition("?")[0])
    if route is None:
        return
    said = f"{method} {route.path} {status}"
    responses = document()["paths"][route.path][method.lower()]["responses"]
    assert str(status) in responses, said
    response = responses[str(status)]
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    kind = headers["Content-Type"].partition(";")[0]
    assert kind in response["content"], f"{said} {kind}"
    ours = {"Link", "Retry-After", "Idempotent-Replayed", "X-Request-Id", "WWW-Authenticate"}
    assert {name for name in ours if name in headers} <= set(response["headers"]), said
    if status >= HTTPStatus.BAD_REQUEST:
        _check_problem(response["content"][kind]["schema"], json.loads(raw), said)
    elif kind == "application/json":
        told = route.answer.model_validate_json(raw)  # nothing more, nothing less, and of these types
        assert told.written() == raw, said


def _check_problem(schema, problem, said):
    _problem, own = schema["allOf"]
    assert set(document()["components"]["schemas"]["Problem"]["required"]) <= set(problem), said
    assert problem["status"] == own["properties"]["status"]["const"], said
    assert problem["code"] in own["properties"]["code"]["enum"], f"{said} {problem['code']}"


def _route(method, path):
    for route in ROUTES:
        pattern = re.sub(r"{\w+}", "[^/]+", route.path)
        if route.method == method and re.fullmatch(pattern, path):
            return route
    return None
