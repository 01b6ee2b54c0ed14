"""Payloads: bodies for the emulated Graph API, all to one phone."""

from typing import Any

TO = "+254712345678"


def text(body: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"to": TO, "type": "text", "text": {"body": body}, **more}


def interactive(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    inside = {"type": kind, "body": {"text": "Choose"}, "action": action, **more}
    return {"to": TO, "type": "interactive", "interactive": inside}


def buttons(*titles: str, ids: list[str] | None = None) -> dict[str, Any]:
    names = ids or [f"id-{at}" for at in range(len(titles))]
    replies = [
        {"type": "reply", "reply": {"id": id_, "title": title}}
        for id_, title in zip(names, titles, strict=True)
    ]
    return interactive("button", {"buttons": replies})


def rows(count: int, prefix: str = "row", **of_first: str) -> list[dict[str, Any]]:
    made = [{"id": f"{prefix}-{at}", "title": f"Row {at}"} for at in range(count)]
    made[0] |= of_first
    return made


def listed(*sections: dict[str, Any], button: str = "Menu") -> dict[str, Any]:
    return interactive("list", {"button": button, "sections": list(sections)})


def link(display_text: str = "Pay", url: str = "https://example.org/pay") -> dict[str, Any]:
    parameters = {"display_text": display_text, "url": url}
    return interactive("cta_url", {"name": "cta_url", "parameters": parameters})
