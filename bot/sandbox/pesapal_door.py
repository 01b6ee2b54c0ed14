"""Door: how Pesapal lets requests in: tokens that end, errors inside HTTP 200, what faults do to an answer.

Source: https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/authentication. A token lives
for five minutes; a new one does not kill the last.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.sandbox.faults import CATALOGUE
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PesapalAccount

# (the account, the request, its body, the name of the fault that strikes) -> the answer
Call = Callable[[PesapalAccount, web.Request, Json, str], Awaitable[Json | list[Json]]]


class PesapalError(Exception):
    """An answer that is an error; most of them come with HTTP 200."""

    def __init__(self, code: str, message: str = "", status: int = 200, kind: str = "api_error") -> None:
        super().__init__(message or code)
        self.status = status
        error = {"error_type": kind, "code": code, "message": message}
        self.body: Json = {"error": error, "status": "500"}


class Door:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tokens: dict[str, tuple[PesapalAccount, datetime]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/pesapal/api/Auth/RequestToken", self.token)]

    async def token(self, request: web.Request) -> web.StreamResponse:
        fault = self._stage.faults.take_name("pesapal.token")
        try:
            told = self._given(await _json(request), fault)
        except PesapalError as error:
            self._stage.log("pesapal", f"token: {error}", good=False)
            return web.json_response(error.body, status=error.status)
        return _dropped(request, told) if fault == "drop" else web.json_response(told)

    def answering(self, what: str, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        at = f"pesapal.{what}"

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                account = self._account(request)
                fault = self._stage.faults.take_name(at) if at in CATALOGUE else ""
                self._refuse(request, fault)  # what is done all the same is refused after it
                told = await call(account, request, await _json(request), fault)
                self._refuse(request, fault.removesuffix("_after"))
            except PesapalError as error:
                self._stage.log("pesapal", f"{request.path}: {error.status} {error}", good=False)
                return web.json_response(error.body, status=error.status)
            return _dropped(request, told) if fault == "drop" else web.json_response(told)

        return answer

    def _given(self, body: Json, fault: str) -> Json:
        if fault == "500":
            raise PesapalError("internal_error", "An error occurred", 500)
        keys = (body.get("consumer_key"), body.get("consumer_secret"))
        accounts = self._stage.world.pesapal
        known = [each for each in accounts if (each.consumer_key, each.consumer_secret) == keys]
        if not known or fault == "keys":
            raise PesapalError("invalid_consumer_key_or_secret_provided")
        token = f"eyJhbGciOiJIUzI1NiJ9.{self._stage.ids.token()}"
        until = self._stage.world.now() + timedelta(seconds=known[0].token_seconds)
        self._tokens[token] = (known[0], until)
        return {
            "token": token,
            "expiryDate": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
            "error": None,
            "status": "200",
            "message": "Request processed successfully",
        }

    def _account(self, request: web.Request) -> PesapalAccount:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        account, until = self._tokens.get(token, (None, self._stage.world.now()))
        if account is None or until <= self._stage.world.now():
            raise _wrong_token()
        return account

    def _refuse(self, request: web.Request, fault: str) -> None:
        """Raises PesapalError for a fault that refuses."""
        match fault:
            case "500":
                raise PesapalError("internal_error", "An error occurred", 500)
            case "spike":
                raise PesapalError("too_many_requests", "Too many requests", 429)
            case "token":
                self._tokens.pop(request.headers.get("Authorization", "").removeprefix("Bearer "), None)
                raise _wrong_token()
            case "limit":
                message = "Request Declined.Maximum allowed test transactions limit exceeded"
                raise PesapalError("maximum_amount_limit_exceeded", message)


def _wrong_token() -> PesapalError:
    kind = "authentication_error"
    return PesapalError("invalid_api_credentials_provided", "Invalid Access Token", 500, kind)


def _dropped(request: web.Request, told: Json | list[Json]) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.json_response(told)


async def _json(request: web.Request) -> Json:
    if not request.can_read_body:
        return {}
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise PesapalError("invalid_api_request_parameters", "", 500, "invalid_request_error")
    return body
