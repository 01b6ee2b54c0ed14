"""Bodies: what the control API is told, and how it says no."""

import json

from aiohttp import web

from bot.jsons import loads
from bot.sandbox.world import CannotError, Json


def error(kind: type[web.HTTPException], sentence: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": sentence}), content_type="application/json")


async def body_of(request: web.Request) -> Json:
    """Raises CannotError for what is no JSON object; none at all is an empty one."""
    if not request.can_read_body:
        return {}
    try:
        body = loads(await request.read())
    except ValueError:
        raise CannotError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise CannotError("the body is not a JSON object")
    return body


def text(body: Json, field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise CannotError(f"{field} is missing, a string")
    return value


def one_of(body: Json, field: str, words: tuple[str, ...]) -> str:
    value = text(body, field)
    if value not in words:
        raise CannotError(f"{field} is one of {', '.join(words)}")
    return value


def count(body: Json, field: str, least: int, most: int) -> int:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise CannotError(f"{field} is a whole number from {least} to {most}")
    return value
