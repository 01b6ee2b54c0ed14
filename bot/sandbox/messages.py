"""Messages: one bubble of a chat as a phone shows it, and how a Graph API payload becomes one."""

import re
from dataclasses import dataclass, field

from bot.sandbox.graph_limits import GraphError, check_interactive
from bot.sandbox.world import Json, Template

ORDER = ("sending", "sent", "delivered", "read")


@dataclass(slots=True)
class Message:
    """`mine`: written on the phone. `at` is milliseconds. `parts` holds what the kind has beside its
    text: header, footer, buttons, menu and sections, link, media, quote."""

    id: str
    phone: str
    shop: str
    mine: bool
    at: int
    kind: str
    text: str
    parts: Json = field(default_factory=dict)
    status: str = "sent"
    opaque: str | None = None
    seen: bool = False

    def advance(self, status: str) -> bool:
        """Statuses go forward only. True where this one did."""
        if ORDER.index(status) <= ORDER.index(self.status):
            return False
        self.status = status
        return True

    def choices(self) -> list[Json]:
        """What can be tapped: [{"id", "title", "description"?}]."""
        rows = [row for section in self.parts.get("sections", []) for row in section["rows"]]
        kept = ("id", "title", "description")
        return [
            *self.parts.get("buttons", []),
            *({key: row[key] for key in kept if key in row} for row in rows),
        ]

    def view(self) -> Json:
        return {
            "id": self.id,
            "phone": self.phone,
            "shop": self.shop,
            "mine": self.mine,
            "at": self.at,
            "kind": self.kind,
            "text": self.text,
            "status": self.status,
            **self.parts,
        }


def drawn(kind: str, payload: Json, templates: tuple[Template, ...]) -> tuple[str, str, Json]:
    """(kind, text, parts) of a checked payload. Raises GraphError for an unknown template."""
    content = payload[kind]
    if kind == "text":
        return "text", content["body"], {}
    if kind == "template":
        return _template(content, templates)
    if kind == "interactive":
        return _interactive(content)
    return kind, content.get("caption", ""), {"media": _media(kind, content)}


def _interactive(content: Json) -> tuple[str, str, Json]:
    check_interactive(content)
    action = content["action"]
    parts: Json = {}
    if header := content.get("header"):
        kind = header["type"]
        is_text = kind == "text"
        parts["header" if is_text else "media"] = header["text"] if is_text else _media(kind, header[kind])
    if footer := content.get("footer"):
        parts["footer"] = footer["text"]
    match content["type"]:
        case "button":
            parts["buttons"] = [
                {"id": button["reply"]["id"], "title": button["reply"]["title"]}
                for button in action["buttons"]
            ]
        case "list":
            parts["menu"] = action["button"]
            parts["sections"] = action["sections"]
        case "flow":
            to = action["parameters"]
            parts["form"] = {"title": to["flow_cta"], "id": to.get("flow_id", ""), "token": to["flow_token"]}
        case "cta_url":
            to = action["parameters"]
            parts["link"] = {"title": to["display_text"], "url": to["url"]}
    return content["type"], content["body"]["text"], parts


def _media(kind: str, content: Json) -> Json:
    """Uploaded media is this server's."""
    url = content["link"] if "link" in content else f"/media/{content['id']}"
    return {"kind": kind, "url": url, "name": content.get("filename", "")}


def _template(content: Json, templates: tuple[Template, ...]) -> tuple[str, str, Json]:
    name, language = content["name"], content["language"]["code"]
    approved = [one for one in templates if one.status == "APPROVED"]
    found = next((one for one in approved if (one.name, one.language) == (name, language)), None)
    if found is None:
        raise GraphError(132001, f"template name ({name}) does not exist in {language}", status=404)
    given = [
        parameter.get("text", "")
        for component in content.get("components", [])
        if component.get("type") == "body"
        for parameter in component.get("parameters", [])
    ]
    wanted = len(set(re.findall(r"\{\{(\d+)\}\}", found.body)))
    if len(given) != wanted:
        details = f"body: number of localizable_params ({len(given)}) does not match the expected ({wanted})"
        raise GraphError(132000, details)
    if any(not text.strip() or re.search(r"[\n\t]| {5}", text) for text in given):
        raise GraphError(132018, "Param text cannot be empty, have new-line/tab characters or 5 spaces.")
    if any(int(index) >= len(found.buttons) for index in _payloads(content)):
        raise GraphError(132018, "components has a button that the template has not.")
    text = re.sub(r"\{\{(\d+)\}\}", lambda hole: str(given[int(hole[1]) - 1]), found.body)
    return "template", text, {"buttons": _template_buttons(content, found)} if found.buttons else {}


def _template_buttons(content: Json, found: Template) -> list[Json]:
    """A quick reply without a payload of its own comes back with its title."""
    payloads = _payloads(content)
    return [{"id": payloads.get(at, title), "title": title} for at, title in enumerate(found.buttons)]


def _payloads(content: Json) -> dict[int, str]:
    return {
        int(component.get("index", 0)): component["parameters"][0].get("payload", "")
        for component in content.get("components", [])
        if component.get("type") == "button" and component.get("parameters")
    }
