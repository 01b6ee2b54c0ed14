"""Account: what Meta tells of a number, its token and who is told of its messages.

Nothing that it returns holds a token, and neither do the reasons: Meta's own words may repeat one.
https://developers.facebook.com/documentation/business-messaging/whatsapp/reference
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

_OK, _TOO_MANY, _FAULT = 200, 429, 500
_NO_SUCH_FIELD = 100
_NUMBER = (
    "verified_name,display_phone_number,quality_rating,status,health_status,"
    "whatsapp_business_manager_messaging_limit"
)
NEEDED = "messages"
WANTED = (NEEDED, "user_preferences")


@dataclass(frozen=True)
class Trouble:
    """Why it is not known: a no of Meta's (`refused`), or no answer."""

    said: str
    refused: bool = False
    code: int | None = None


@dataclass(frozen=True)
class Number:
    """`limit`: of people who are written to outside their 24 hours in a day; `blocked`: what Meta says where
    it lets nothing be sent (`can_send` is not AVAILABLE)."""

    name: str
    display: str
    quality: str
    status: str
    limit: str
    can_send: str
    because: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """`expires_at`: None where it never does."""

    app_id: str
    valid: bool
    expires_at: datetime | None
    scopes: frozenset[str]


@dataclass(frozen=True)
class Subscription:
    """Where an app is told of WhatsApp's events, and of which."""

    callback_url: str
    fields: frozenset[str]


class Account:
    """`graph`: the address of the Graph API with its version."""

    def __init__(self, http: aiohttp.ClientSession, graph_url: str, api_version: str) -> None:
        self._http, self.graph = http, f"{graph_url.rstrip('/')}/{api_version}"

    async def number(self, phone_number_id: str, token: str) -> Number | Trouble:
        told = await self._get(phone_number_id, token, fields=_NUMBER)
        if isinstance(told, Trouble) and told.code == _NO_SUCH_FIELD:  # another version may name fewer
            told = await self._get(phone_number_id, token)
        if isinstance(told, Trouble):
            return told
        health = told.get("health_status")
        health = health if isinstance(health, dict) else {}
        return Number(
            name=_text(told, "verified_name"),
            display="".join(filter(str.isdigit, _text(told, "display_phone_number"))),
            quality=_text(told, "quality_rating"),
            status=_text(told, "status"),
            limit=_text(told, "whatsapp_business_manager_messaging_limit"),
            can_send=_text(health, "can_send_message"),
            because=tuple(_causes(health)),
        )

    async def token(self, token: str) -> Token | Trouble:
        """A token may look at itself."""
        told = await self._get("debug_token", token, input_token=token)
        if isinstance(told, Trouble):
            return told
        data = told.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("is_valid"), bool):
            return Trouble("an answer of no known shape")
        ends, scopes = data.get("expires_at"), data.get("scopes")
        return Token(
            app_id=_text(data, "app_id"),
            valid=data["is_valid"],
            expires_at=datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) and ends > 0 else None,
            scopes=frozenset(map(str, scopes if isinstance(scopes, list) else ())),
        )

    async def apps(self, waba_id: str, token: str) -> frozenset[str] | Trouble:
        """The apps that hear of what happens to the numbers of a WhatsApp Business account."""
        told = await self._get(f"{waba_id}/subscribed_apps", token)
        if isinstance(told, Trouble):
            return told
        apps = [each.get("whatsapp_business_api_data") for each in _listed(told)]
        return frozenset(_text(app, "id") for app in apps if isinstance(app, dict))

    async def subscribe(self, waba_id: str, token: str) -> Trouble | None:
        """The app of the token hears of the account from now on."""
        told = await self._ask("POST", f"{waba_id}/subscribed_apps", token)
        return told if isinstance(told, Trouble) else None

    async def subscription(self, app_id: str, app_secret: str) -> Subscription | Trouble | None:
        """None where the app is told of nothing. That it is answered proves the secret."""
        told = await self._get(f"{app_id}/subscriptions", f"{app_id}|{app_secret}")
        if isinstance(told, Trouble):
            return told
        for each in _listed(told):
            if each.get("object") == "whatsapp_business_account" and each.get("active") is not False:
                names = each.get("fields")
                fields = [one.get("name") for one in names if isinstance(one, dict)] if names else []
                return Subscription(_text(each, "callback_url"), frozenset(map(str, fields)))
        return None

    async def _get(self, path: str, token: str, **query: str) -> dict[str, Any] | Trouble:
        return await self._ask("GET", path, token, **query)

    async def _ask(self, method: str, path: str, token: str, **query: str) -> dict[str, Any] | Trouble:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._http.request(
                method, f"{self.graph}/{path}", params=query, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Trouble(type(error).__name__)
        if status == _OK and isinstance(told, dict):
            return told
        code = _code_of(told)
        said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
        refused = status not in (_OK, _TOO_MANY) and status < _FAULT
        return Trouble(said, refused, code)


def _code_of(told: Any) -> int | None:
    match told:
        case {"error": {"code": int(code)}}:
            return code
    return None


def _text(facts: dict[str, Any], key: str) -> str:
    told = facts.get(key)
    return told if isinstance(told, str) else ""


def _listed(told: dict[str, Any]) -> list[dict[str, Any]]:
    data = told.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _causes(health: dict[str, Any]) -> list[str]:
    """What Meta says of each thing that keeps messages from being sent."""
    entities = health.get("entities")
    errors = [
        error
        for entity in (entities if isinstance(entities, list) else ())
        if isinstance(entity, dict)
        for error in (entity.get("errors") or ())
        if isinstance(error, dict)
    ]
    return [_text(error, "error_description") for error in errors if _text(error, "error_description")]
