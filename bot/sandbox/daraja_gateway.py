"""Gateway: Daraja's front door: OAuth, the bearer token, error bodies, and what faults do to an answer."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.sandbox.daraja_checks import DarajaError, json_object
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

TOKEN_SECONDS = 3599

# (the merchant's app, the request, the name of the fault that strikes) -> the answer
Call = Callable[[DarajaApp, Json, str], Awaitable[Json]]


class SpikeArrestError(DarajaError):
    """The gateway's own error, of another shape than M-Pesa's."""

    def __init__(self) -> None:
        super().__init__(429, "policies.ratelimit.SpikeArrestViolation", "Spike arrest violation")

    def body(self, request_id: str) -> Json:  # noqa: ARG002  this shape has no id
        return {"fault": {"faultstring": str(self), "detail": {"errorcode": self.code}}}


class Gateway:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._tokens: dict[str, tuple[str, float]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/oauth/v1/generate", self.token)]

    def route(self, path: str, at: str, call: Call) -> web.RouteDef:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                app = self._authorized(request)
                body = json_object(await _json(request))
                fault = self._fault(app, at)
                told = await call(app, body, fault)
                if fault == "500_after":
                    raise _internal()
            except DarajaError as error:
                self.stage.log("mpesa", f"{path}: {error.status} {error.code} {error}", good=False)
                return web.json_response(error.body(self.stage.ids.request()), status=error.status)
            return _dropped(request, told) if fault == "drop" else web.json_response(told)

        return web.post(path, answer)

    async def token(self, request: web.Request) -> web.StreamResponse:
        """A new token kills the app's last one."""
        fault = self.stage.faults.take_name("oauth")
        if fault == "500":
            return web.json_response(_internal().body(self.stage.ids.request()), status=500)
        if request.query.get("grant_type") != "client_credentials":
            return self._refused("400.008.02", "Invalid grant type passed")
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return self._refused("400.008.01", "Invalid Authentication passed")
        app = self._app_of(credentials)
        if app is None:
            return web.Response(status=400)
        token = self.stage.ids.token()
        self._tokens[app.consumer_key] = (token, self._now() + TOKEN_SECONDS)
        told = {"access_token": token, "expires_in": str(TOKEN_SECONDS)}
        return _dropped(request, told) if fault == "drop" else web.json_response(told)

    def _app_of(self, credentials: str) -> DarajaApp | None:
        try:
            key, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        apps = self.stage.world.daraja
        return next((app for app in apps if (app.consumer_key, app.consumer_secret) == (key, secret)), None)

    def _authorized(self, request: web.Request) -> DarajaApp:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for app in self.stage.world.daraja:
            token, until = self._tokens.get(app.consumer_key, ("", 0.0))
            if token and token == bearer and self._now() < until:
                return app
        raise DarajaError(404, "404.001.03", "Invalid Access Token")

    def _fault(self, app: DarajaApp, at: str) -> str:
        """The name of the fault that strikes. Raises DarajaError for one that refuses."""
        fault = self.stage.faults.take_name(at)
        if fault == "token":
            del self._tokens[app.consumer_key]
            raise DarajaError(404, "404.001.03", "Invalid Access Token")
        if fault == "500":
            raise _internal()
        if fault == "busy":
            raise DarajaError(500, "500.003.02", "System is busy. Please try again in few minutes.")
        if fault == "spike":
            raise SpikeArrestError
        return fault

    def _refused(self, code: str, message: str) -> web.Response:
        error = DarajaError(400, code, message)
        return web.json_response(error.body(self.stage.ids.request()), status=400)

    def _now(self) -> float:
        return self.stage.world.now().timestamp()


def _internal() -> DarajaError:
    return DarajaError(500, "500.003.1001", "Internal Server Error")


def _dropped(request: web.Request, told: Json) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.json_response(told)


async def _json(request: web.Request) -> object:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise DarajaError(400, "400.002.05", "Invalid Request Payload") from None
