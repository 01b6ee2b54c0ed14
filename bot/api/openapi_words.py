"""What the OpenAPI document says that no route says: keys, headers, problems."""

from http import HTTPStatus
from typing import Any

from bot.api import idempotency, problems
from bot.api.every import ROUTES
from bot.api.queries import Choice
from bot.api.routes import Route

Json = dict[str, Any]
SCHEMAS = "#/components/schemas/"
REPLAYED = (400, 403, 404, 409, 415, 422)  # what was decided is kept with an `Idempotency-Key`

ABOUT = """\
What a shop's own programs may do: the same that its staff do in chat, under the same limits and four eyes.

- A key belongs to one of the staff and carries that person's scopes (`python main.py apikey create`).
- Amounts come in as decimal strings or numbers and go out as decimal strings. Times are UTC.
- Every no is a problem of RFC 9457 with a stable `code`, and the facts of the case beside it.
- A POST may be sent again under the same `Idempotency-Key`: it has its effect once.
"""
KEYS = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-TENANT-API-KEY",
        "description": "The key of one of the staff.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, sent the other way."},
}
HEADERS: dict[str, Json] = {
    "X-Request-Id": {"description": "The log has it too.", "schema": {"type": "string"}},
    "Link": {"description": 'The next page, as `<…>; rel="next"`.', "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` where this was answered before under the same `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {"description": "In seconds.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "Always `Bearer`.", "schema": {"type": "string"}},
}
PARAMETERS: dict[str, Json] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "1 to 255 visible ASCII characters. The same key, path and body of one person are "
        "answered with the same status and bytes for 35 days.",
        "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MOST_SIGNS},
    },
    "X-TENANT-ID": {
        "name": "X-TENANT-ID",
        "in": "header",
        "description": "The tenant's id or slug; where it is sent, the key must be this tenant's.",
        "schema": {"type": "string"},
    },
}
PROBLEM: Json = {
    "type": "object",
    "description": "A no, as RFC 9457 has it. The facts of the case stand beside these fields.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:lipachat:problem:not_pending"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "request_id": {"type": "string"},
    },
    "additionalProperties": True,
}


def statuses(route: Route) -> list[int]:
    """With which problems it may answer, as far as its declaration tells: rather one more than one less."""
    fields = route.body.model_fields if route.body is not None else {}
    found = {400, 401, 403, 429, 500, 503}
    if "{" in route.path or any(name.endswith("_id") for name in fields):
        found.add(404)
    if route.method != "GET":
        found |= {409, 422}
    elif any(not isinstance(each, Choice) for each in route.query):
        found.add(422)  # a value that is legible, and still means nothing here
    if route.body is not None or route.file:
        found |= {408, 413}
    if route.file:
        found.add(415)
    return sorted(found)


def codes(status: int) -> list[str]:
    """All that a problem of this status may be."""
    own = set(problems.OWN.get(status, ()))
    refusals = {refusal.code for refusal, (told, _) in problems.STATUS.items() if told == status}
    choices = {f"invalid_{each.name}" for route in ROUTES for each in route.query if isinstance(each, Choice)}
    return sorted(own | refusals | (choices if status == HTTPStatus.BAD_REQUEST else set()))


def answer(status: int) -> Json:
    """What comes with a problem of this status."""
    headers = ["X-Request-Id"]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append("WWW-Authenticate")
    if status in {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers.append("Retry-After")
    if status in REPLAYED:
        headers.append("Idempotent-Replayed")
    own = {"properties": {"status": {"const": status}, "code": {"enum": codes(status)}}}
    schema = {"allOf": [{"$ref": f"{SCHEMAS}Problem"}, own]}
    return told(status, headers, {problems.MEDIA_TYPE: {"schema": schema}})


def told(status: int, headers: list[str], content: Json) -> Json:
    refs = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {"description": HTTPStatus(status).phrase, "headers": refs, "content": content}
