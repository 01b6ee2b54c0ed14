"""Graph accounts: what the emulated Graph API tells of a number, of a token, and of who hears of its events.

Source: https://developers.facebook.com/docs/graph-api/reference/debug_token, .../application/subscriptions,
and https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/manage-webhooks
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from bot.sandbox.graph_limits import GraphError
from bot.sandbox.ids import Ids
from bot.sandbox.world import Json, Shop, World

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PLAIN = ("verified_name", "display_phone_number", "quality_rating")


class GraphAccounts:
    """`ids` makes the traces of its errors."""

    def __init__(self, world: World, ids: Ids) -> None:
        self._world, self._ids = world, ids
        self._subscribed: set[str] = set()  # accounts, since it was asked for

    def routes(self) -> list[web.RouteDef]:
        version = r"/{version:v\d+\.\d+}"
        return [
            web.get(version + "/debug_token", self._answering(self._debug)),
            web.get(version + r"/{account_id:\d+}/subscribed_apps", self._answering(self._apps)),
            web.post(version + r"/{account_id:\d+}/subscribed_apps", self._answering(self._subscribe)),
            web.get(version + r"/{app_id:\d+}/subscriptions", self._answering(self._subscriptions)),
        ]

    def known(self, request: web.Request) -> list[Shop]:
        """Whose token the request bears. Raises GraphError 190."""
        known = [shop for shop in self._world.shops if _same(shop.access_token, _bearer(request))]
        if not known or not self._lives(known[0]):
            raise GraphError(190, "Invalid OAuth access token.", status=401)
        return known

    def of_account(self, request: web.Request) -> list[Shop]:
        """The numbers of the account of the path. Raises GraphError 190 or 100."""
        account = request.match_info["account_id"]
        shops = [shop for shop in self.known(request) if shop.account_id == account]
        if not shops:
            raise GraphError(100, f"Unsupported get request. Object with ID '{account}' does not exist.")
        return shops

    def _debug(self, request: web.Request) -> Json:
        """Of a token of the same app; of another nothing but that it is none."""
        self.known(request)
        token = request.query.get("input_token", "")
        if not token:
            raise GraphError(100, "The parameter input_token is required.")
        shop = next((shop for shop in self._world.shops if _same(shop.access_token, token)), None)
        if shop is None:
            error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
            return {"data": {"error": error, "is_valid": False, "scopes": []}}
        told = {"app_id": shop.app_id, "type": "SYSTEM_USER", "application": shop.name, "user_id": "1"}
        times = {"data_access_expires_at": 0, "expires_at": shop.token_ends, "issued_at": 1}
        return {"data": told | times | {"is_valid": self._lives(shop), "scopes": list(shop.token_scopes)}}

    def _apps(self, request: web.Request) -> Json:
        apps = {
            shop.app_id: shop.name
            for shop in self.of_account(request)
            if shop.told or shop.account_id in self._subscribed
        }
        link = "https://www.facebook.com/games/?app_id="
        return {
            "data": [
                {"whatsapp_business_api_data": {"id": app, "link": f"{link}{app}", "name": name}}
                for app, name in apps.items()
            ]
        }

    def _subscribe(self, request: web.Request) -> Json:
        self._subscribed |= {shop.account_id for shop in self.of_account(request)}
        return {"success": True}

    def _subscriptions(self, request: web.Request) -> Json:
        """Asked with the app's own token: its id and its secret."""
        app = request.match_info["app_id"]
        if not _same(f"{app}|{self._world.app_secret}", _bearer(request)):
            raise GraphError(190, "Invalid OAuth access token signature.")
        if not self._world.fields:
            return {"data": []}
        told = {"object": "whatsapp_business_account", "active": True}
        url = self._world.callback_url or f"{self._world.app_url}/webhooks/whatsapp"
        fields = [{"name": name, "version": request.match_info["version"]} for name in self._world.fields]
        return {"data": [told | {"callback_url": url, "fields": fields}]}

    def _lives(self, shop: Shop) -> bool:
        return shop.token_ends == 0 or shop.token_ends > self._world.now().timestamp()

    def _answering(self, tell: Callable[[web.Request], Json]) -> _Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return web.json_response(tell(request))
            except GraphError as error:
                return web.json_response(error.body(self._ids.trace()), status=error.status)

        return answer


def about_number(shop: Shop, asked: str | None) -> Json:
    """The fields that were asked for. Raises GraphError 100 for one that Meta does not know."""
    blocked = [{"error_code": 141000, "error_description": shop.blocked, "possible_solution": "Ask Meta."}]
    sends = {"can_send_message": "BLOCKED" if shop.blocked else "AVAILABLE"}
    number: Json = {"entity_type": "PHONE_NUMBER", "id": shop.phone_number_id, **sends}
    told: Json = {
        "id": shop.phone_number_id,
        "verified_name": shop.name,
        "display_phone_number": shop.display_phone_number,
        "quality_rating": shop.quality,
        "status": "CONNECTED",
        "platform_type": "CLOUD_API",
        "code_verification_status": "VERIFIED",
        "throughput": {"level": "STANDARD"},
        "health_status": {**sends, "entities": [number | ({"errors": blocked} if shop.blocked else {})]},
        "whatsapp_business_manager_messaging_limit": shop.limit,
    }
    wanted: Iterable[str] = asked.split(",") if asked else _PLAIN
    for name in wanted:
        if name not in told:
            raise GraphError(100, f"Tried accessing nonexisting field ({name})")
    return {name: told[name] for name in (*wanted, "id")}


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def _same(ours: str, theirs: str) -> bool:
    return bool(theirs) and hmac.compare_digest(ours.encode(), theirs.encode())
