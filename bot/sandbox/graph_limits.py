"""Limits: what the Cloud API accepts of a message, and the errors it answers otherwise.

Source: https://developers.facebook.com/documentation/business-messaging/whatsapp (messages, interactive
messages, error codes). Meta tells no unit of length; characters are counted here.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.world import Json

TYPES = ("text", "interactive", "template", "image", "document")
ENVELOPE = {
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
}
TITLES = {
    100: "Invalid parameter",
    190: "Authentication Error",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132018: "Template param is not valid",
    132001: "Template name does not exist in the translation",
}


class GraphError(Exception):
    """An answer of the Graph API that is an error: HTTP `status` and Meta's `code`."""

    def __init__(self, code: int, details: str, status: int = 400) -> None:
        super().__init__(f"(#{code}) {TITLES.get(code, 'Error')}")
        self.code = code
        self.details = details
        self.status = status

    def body(self, trace: str) -> Json:
        return {
            "error": {
                "message": str(self),
                "type": "OAuthException",
                "code": self.code,
                "error_data": {"messaging_product": "whatsapp", "details": self.details},
                "fbtrace_id": trace,
            }
        }


def check_message(payload: Any) -> str:
    """The type of a valid message. Raises GraphError for one that Meta would refuse."""
    if not isinstance(payload, dict):
        raise GraphError(100, "The request body is not a JSON object.")
    _check_envelope(payload)
    kind = payload.get("type", "text")
    if kind not in TYPES:
        raise GraphError(100, f"Param type must be one of {{{', '.join(TYPES).upper()}}}.")
    for key in payload.keys() - ENVELOPE - {kind}:
        raise GraphError(100, f'Unexpected key "{key}" on param.')
    content = _object(payload, kind)
    {
        "text": _check_text,
        "interactive": check_interactive,
        "template": _check_template,
        "image": _check_image,
        "document": _check_media,
    }[kind](content)
    return str(kind)


def _check_envelope(payload: Json) -> None:
    if payload.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    if payload.get("recipient_type", "individual") != "individual":
        raise GraphError(100, "Param recipient_type must be one of {INDIVIDUAL}.")
    addresses = [payload[key] for key in ("to", "recipient") if key in payload]
    if not addresses:
        raise GraphError(100, "The parameter to is required.")
    if not all(isinstance(address, str) and address.strip() for address in addresses):
        raise GraphError(100, "The parameters to and recipient are non-empty strings.")
    opaque = payload.get("biz_opaque_callback_data", "")
    if not isinstance(opaque, str) or len(opaque) > 512:  # noqa: PLR2004  Meta's limit
        raise GraphError(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
    if "context" in payload:
        _string(_object(payload, "context"), "message_id", 512)


def _check_text(text: Json) -> None:
    _string(text, "body", 4096, code=100)
    if not isinstance(text.get("preview_url", False), bool):
        raise GraphError(100, "Param text['preview_url'] must be a boolean.")


def _check_image(media: Json) -> None:
    _check_media(media)
    _check_picture(media)


def _check_picture(image: Json) -> None:
    """Only JPEG and PNG. An address that does not say what it is gets fetched, by Meta."""
    if urlsplit(image.get("link", "")).path.lower().endswith((".webp", ".gif", ".svg", ".avif", ".pdf")):
        raise GraphError(131053, "Unsupported image type: please use image/jpeg or image/png.")


def _check_media(media: Json) -> None:
    _check_source(media)
    if "caption" in media:
        _string(media, "caption", 1024)
    if "filename" in media:
        _string(media, "filename", 240)


def _check_source(media: Json) -> None:
    """An id of what was uploaded, or a link."""
    if "id" in media and "link" in media:
        raise GraphError(131009, "Media has an id and a link.")
    if "id" in media:
        _string(media, "id", 64)
    else:
        _link(media, "link")


def _check_template(template: Json) -> None:
    _string(template, "name", 512)
    _string(_object(template, "language"), "code", 16)
    if not isinstance(template.get("components", []), list):
        raise GraphError(131009, "components is not a list.")


def check_interactive(interactive: Json) -> None:
    """Raises GraphError."""
    kinds = {
        "button": _check_buttons,
        "list": _check_list,
        "cta_url": _check_link_button,
        "request_contact_info": _check_contact_request,
        "flow": _check_form,
    }
    kind = interactive.get("type")
    if kind not in kinds:
        raise GraphError(131009, f"Interactive type {kind!r} is not valid.")
    _string(_object(interactive, "body"), "text", 1024)
    if "footer" in interactive:
        _string(_object(interactive, "footer"), "text", 60)
    if "header" in interactive:
        _check_header(_object(interactive, "header"), media=kind in ("button", "cta_url"))
    kinds[kind](_object(interactive, "action"))


def _check_header(header: Json, *, media: bool) -> None:
    kind = header.get("type")
    if kind == "text":
        _string(header, "text", 60)
    elif media and kind in ("image", "video", "document"):
        _check_source(_object(header, kind))
        if kind == "image":
            _check_picture(header["image"])
    else:
        raise GraphError(131009, f"Header type {kind!r} is not valid here.")


def _check_buttons(action: Json) -> None:
    buttons = _objects(action, "buttons", 3)
    replies = [_object(button, "reply") for button in buttons]
    if any(button.get("type") != "reply" for button in buttons):
        raise GraphError(131009, "Button type is not reply.")
    for reply in replies:
        _id(reply, 256)
        _string(reply, "title", 20)
    _unique([reply["id"] for reply in replies], "Button id")
    _unique([reply["title"] for reply in replies], "Button title")


def _check_list(action: Json) -> None:
    _string(action, "button", 20)
    sections = _objects(action, "sections", 10)
    rows = [row for section in sections for row in _objects(section, "rows", 10)]
    if len(rows) > 10:  # noqa: PLR2004  Meta's limit, over all sections
        raise GraphError(131009, f"Total row count exceed max allowed count: 10, was {len(rows)}.")
    for section in sections:
        if "title" in section or len(sections) > 1:
            _string(section, "title", 24)
    for row in rows:
        _id(row, 200)
        _string(row, "title", 24)
        if "description" in row:
            _string(row, "description", 72)
    _unique([row["id"] for row in rows], "Row id")


def _check_link_button(action: Json) -> None:
    if action.get("name") != "cta_url":
        raise GraphError(131009, "action.name must be cta_url.")
    parameters = _object(action, "parameters")
    _string(parameters, "display_text", 20)
    _link(parameters, "url")


def _check_contact_request(action: Json) -> None:
    if action.get("name") != "request_contact_info":
        raise GraphError(131009, "action.name must be request_contact_info.")


def _check_form(action: Json) -> None:
    if action.get("name") != "flow":
        raise GraphError(131009, "action.name must be flow.")
    parameters = _object(action, "parameters")
    if parameters.get("flow_message_version") != "3":
        raise GraphError(131009, "flow_message_version must be 3.")
    if ("flow_id" in parameters) is ("flow_name" in parameters):
        raise GraphError(131009, "Exactly one of flow_id and flow_name is required.")
    _string(parameters, "flow_id" if "flow_id" in parameters else "flow_name", 200)
    _string(parameters, "flow_cta", 20)
    _string(parameters, "flow_token", 1000)
    if parameters.get("flow_action", "navigate") not in ("navigate", "data_exchange"):
        raise GraphError(131009, "flow_action must be one of navigate, data_exchange.")


# --- the small checks that these are made of ---------------------------------------------------------


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise GraphError(131008, f"The parameter {key} is required, as an object.")
    return value


def _objects(parent: Json, key: str, most: int) -> list[Json]:
    value = parent.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise GraphError(131008, f"The parameter {key} is required, as a list of objects.")
    if not 1 <= len(value) <= most:
        raise GraphError(131009, f"{key} length invalid. Min length: 1, Max length: {most}.")
    return value


def _string(parent: Json, key: str, most: int, code: int = 131009) -> str:
    value = parent.get(key)
    if not isinstance(value, str):
        raise GraphError(131008, f"The parameter {key} is required, as a string.")
    if not value.strip() or len(value) > most:
        raise GraphError(code, f"{key} length invalid. Min length: 1, Max length: {most}, was {len(value)}.")
    return value


def _id(parent: Json, most: int) -> None:
    value = _string(parent, "id", most)
    if value != value.strip():
        raise GraphError(131009, "id has leading or trailing spaces.")


def _link(parent: Json, key: str) -> None:
    value = _string(parent, key, 2000)
    if not value.startswith(("https://", "http://")):
        raise GraphError(131009, f"{key} is not a valid URI.")


def _unique(values: Sequence[str], what: str) -> None:
    if len(set(values)) < len(values):
        raise GraphError(131009, f"{what} is not unique.")
