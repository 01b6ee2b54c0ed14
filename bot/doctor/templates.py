"""Template doctor: whether Meta would take the templates that a tenant's file names, as we fill them."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp

from bot.doctor.finding import Finding, good, warning
from bot.sending.purposes import Purpose
from bot.whatsapp.templates import TEMPLATES, Template
from services.people.tenants import Tenant

_OK = 200
_MOST_PAGES = 20
_SEE = "see docs/templates.md"
# Without these an approver or a payer hears nothing once they have not written for a day.
NEEDED = (Purpose.WITHDRAWAL_REQUEST, Purpose.RECEIPT)


async def templates(tenant: Tenant, http: aiohttp.ClientSession, graph: str) -> AsyncIterator[Finding]:
    """`graph`: the address of the Graph API with its version."""
    missing = [purpose.value for purpose in NEEDED if purpose not in tenant.templates]
    if missing:
        listed = " and ".join(missing)
        what = f"who has not written for a day waits for {listed}: its file names no template"
        yield warning(what, f"add it to [whatsapp] templates; {_SEE}")
    for key in sorted(set(tenant.templates) - {purpose.value for purpose in TEMPLATES}):
        yield warning(f"no message is sent by a template {key}", f"correct its name in the file; {_SEE}")
    if not tenant.templates or tenant.access_token is None:
        return
    if tenant.waba_id is None:
        fix = "add waba_id to [whatsapp]: the id of the WhatsApp Business account, from Meta's App dashboard"
        yield warning("its templates cannot be looked at: its file names no waba_id", fix)
        return
    told = await at_meta(http, f"{graph}/{tenant.waba_id}/message_templates", tenant.access_token)
    if isinstance(told, str):
        what = f"its templates could not be looked at ({told})"
        yield warning(what, "check waba_id, and that the token may manage templates")
        return
    findings = [finding for purpose in TEMPLATES for finding in _named(tenant, purpose, told)]
    for finding in findings:
        yield finding
    if not findings:
        yield good("its templates are as they are sent")


async def at_meta(http: aiohttp.ClientSession, url: str, token: str) -> list[Any] | str:
    """All templates that Meta has at this address; or why that is not known."""
    found: list[Any] = []
    query: dict[str, str] = {"fields": "name,status,category,language,components", "limit": "100"}
    for _ in range(_MOST_PAGES):
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with http.get(url, params=query, headers=headers, allow_redirects=False) as answer:
                if answer.status != _OK:
                    return f"HTTP {answer.status}"
                page = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return type(error).__name__
        match page:
            case {"data": list(data), "paging": {"next": str(), "cursors": {"after": str(after)}}}:
                found += data
                query["after"] = after
            case {"data": list(data)}:
                return found + data
            case _:
                return "an answer of no known shape"
    return found


def _named(tenant: Tenant, purpose: Purpose, told: list[Any]) -> Iterator[Finding]:
    named = tenant.templates.get(purpose)
    if named is None:
        return
    for language in (named["language"], *named.get("languages", ())):
        key = (named["name"], language)
        known = [
            one for one in told if isinstance(one, dict) and (one.get("name"), one.get("language")) == key
        ]
        if not known:
            what = f"Meta knows no template {named['name']} in {language}, for {purpose}"
            yield warning(what, f"submit it to Meta, or correct the file; {_SEE}")
            continue
        yield from fits(TEMPLATES[purpose], f"template {named['name']} in {language}", known[0])


def fits(template: Template, what: str, told: dict[str, Any]) -> Iterator[Finding]:
    """What keeps it from being sent as we fill it; nothing where it fits."""
    status, category = told.get("status"), told.get("category")
    if status != "APPROVED":
        yield warning(f"{what} is {status}: Meta sends it to nobody", "wait for Meta, or submit it anew")
    if category not in ("UTILITY", None):
        fix = "ask Meta to review the category, or word it as in docs/templates.md"
        yield warning(f"{what} is in the category {category}, which costs more and stops with marketing", fix)
    components = told.get("components")
    parts = {
        part.get("type"): part
        for part in (components if isinstance(components, list) else ())
        if isinstance(part, dict)
    }
    holes = len(set(re.findall(r"\{\{\w+\}\}", str(parts.get("BODY", {}).get("text", "")))))
    if holes != len(template.parameters):
        listed = ", ".join(template.parameters)
        fix = f"its body takes, in this order: {listed}; {_SEE}"
        yield warning(f"{what} has {holes} parameters, and {len(template.parameters)} are sent", fix)
    buttons = parts.get("BUTTONS", {}).get("buttons", ())
    replies = [
        button for button in buttons if isinstance(button, dict) and button.get("type") == "QUICK_REPLY"
    ]
    if len(replies) != len(template.buttons):
        listed = ", ".join(template.buttons) or "none"
        yield warning(f"{what} has {len(replies)} quick replies", f"it takes these: {listed}; {_SEE}")
