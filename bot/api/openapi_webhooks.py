"""What is posted to tenants' own systems, as the `webhooks` of the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

from services.webhooks.events import TYPES, EventType

Json = dict[str, Any]
MODELS: tuple[type[BaseModel], ...] = tuple(dict.fromkeys(each.data for each in TYPES.values()))
_HEADERS = {
    "webhook-id": "The same for each try of an event: who has had it need not take it again.",
    "webhook-timestamp": "Seconds since 1970, when this try was made.",
    "webhook-signature": "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; of each secret that "
    "signs, a blank between.",
}
_ANSWERS = {
    "2XX": {"description": "It is taken. What the answer holds is not read."},
    "410": {"description": "The endpoint is gone: it is disabled, and the staff are told."},
    "default": {"description": "It is not taken, and tried again for a day; `Retry-After` is heeded."},
}


def webhooks(refs: dict[Any, Json]) -> Json:
    """By type; `refs`: the schema of each model."""
    return {name: {"post": _operation(name, event, refs)} for name, event in TYPES.items()}


def _operation(name: str, event: EventType, refs: dict[Any, Json]) -> Json:
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": refs[event.data],
        },
    }
    return {
        "operationId": "event_" + name.replace(".", "_"),
        "tags": ["Webhooks"],
        "summary": event.about.removesuffix("."),
        "security": [],
        "parameters": [
            {
                "name": each,
                "in": "header",
                "required": True,
                "description": about,
                "schema": {"type": "string"},
            }
            for each, about in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _ANSWERS,
    }
