"""Graph: the emulated WhatsApp Cloud API: POST /{version}/{phone_number_id}/messages and /media, and a look
at the number itself.

Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/reference. Whoever relies
on a limit here relies on Meta's: what it refuses, Meta refuses.
"""

import hashlib
import json

from aiohttp import web

from bot.sandbox.chats import Chats
from bot.sandbox.graph_accounts import GraphAccounts, about_number
from bot.sandbox.graph_limits import GraphError, check_message
from bot.sandbox.media import Upload
from bot.sandbox.world import Json, Phone, Shop, Template

# The faults that are an answer: name -> (code, HTTP status, details).
ANSWERS = {
    "500": (131000, 500, "Message failed to send due to an unknown error."),
    "503": (131016, 503, "A service is temporarily unavailable."),
    "190": (190, 401, "The access token has expired."),
    "130429": (130429, 400, "Cloud API message throughput has been reached."),
    "131000": (131000, 500, "Message failed to send due to an unknown error."),
    "131047": (131047, 400, "More than 24 hours have passed since the customer last replied."),
    "131056": (
        131056,
        400,
        "Too many messages were sent from this phone number to the same phone number in a short period.",
    ),
}
UNDELIVERABLE = 131026


class Graph:
    def __init__(self, chats: Chats) -> None:
        self._chats = chats
        self._stage = chats.stage
        self._accounts = GraphAccounts(chats.stage.world, chats.stage.ids)

    def routes(self) -> list[web.RouteDef]:
        number = r"/{version:v\d+\.\d+}/{phone_number_id:\d+}"
        account = r"/{version:v\d+\.\d+}/{account_id:\d+}"
        return [
            *self._accounts.routes(),
            web.post(number + "/messages", self.messages),
            web.post(number + "/media", self.upload),
            web.get(account + "/message_templates", self.templates),
            web.get(number, self.number),
            web.get(number + "/file", self.file),
        ]

    async def number(self, request: web.Request) -> web.StreamResponse:
        try:
            upload = self._chats.media.of(request.match_info["phone_number_id"], self._known(request))
            if upload is not None:
                return web.json_response(_about(upload, request))
            return web.json_response(about_number(self._authorized(request), request.query.get("fields")))
        except GraphError as error:
            return web.json_response(error.body(self._stage.ids.trace()), status=error.status)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Media, at the address that was told of it."""
        try:
            upload = self._chats.media.of(request.match_info["phone_number_id"], self._known(request))
        except GraphError as error:
            return web.json_response(error.body(self._stage.ids.trace()), status=error.status)
        if upload is None:
            raise web.HTTPNotFound
        return web.Response(body=upload.content, content_type=upload.media_type)

    async def templates(self, request: web.Request) -> web.StreamResponse:
        """Those of the WhatsApp Business account that the token is for, by pages."""
        try:
            self._accounts.of_account(request)
        except GraphError as error:
            return web.json_response(error.body(self._stage.ids.trace()), status=error.status)
        told = [_template(one) for one in self._stage.world.templates]
        start, many = int(request.query.get("after", 0)), int(request.query.get("limit", 25))
        paging: Json = {"cursors": {"before": str(start), "after": str(start + many)}}
        if start + many < len(told):
            paging["next"] = str(request.url.update_query(after=start + many))
        return web.json_response({"data": told[start : start + many], "paging": paging})

    async def messages(self, request: web.Request) -> web.StreamResponse:
        try:
            shop = self._authorized(request)
            payload = await _json(request)
            if isinstance(payload, dict) and payload.get("status") == "read":
                return self._read(shop, payload)
            return self._send(shop, payload, request)
        except GraphError as error:
            self._stage.log("whatsapp", f"refused a send: {error}: {error.details}", good=False)
            return web.json_response(error.body(self._stage.ids.trace()), status=error.status)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        try:
            shop = self._authorized(request)
            fault = self._fault("graph.media")
            media_id = await self._chats.media.take(shop, request)
        except GraphError as error:
            self._stage.log("whatsapp", f"refused an upload: {error}: {error.details}", good=False)
            return web.json_response(error.body(self._stage.ids.trace()), status=error.status)
        if fault == "drop" and request.transport is not None:
            request.transport.close()
        return web.json_response({"id": media_id})

    def _authorized(self, request: web.Request) -> Shop:
        """The shop of the path, whose token the request bears. Raises GraphError 190 or 100."""
        wanted = request.match_info["phone_number_id"]
        shop = next((shop for shop in self._known(request) if shop.phone_number_id == wanted), None)
        if shop is None:
            raise GraphError(100, f"Unsupported post request. Object with ID '{wanted}' does not exist.")
        return shop

    def _known(self, request: web.Request) -> list[Shop]:
        """Whose token the request bears. Raises GraphError 190."""
        return self._accounts.known(request)

    def _read(self, shop: Shop, payload: Json) -> web.Response:
        indicator = payload.get("typing_indicator")
        if indicator not in (None, {"type": "text"}):
            raise GraphError(131009, "typing_indicator.type must be text.")
        wamid = payload.get("message_id")
        if payload.get("messaging_product") != "whatsapp" or not isinstance(wamid, str):
            raise GraphError(100, "The parameters messaging_product and message_id are required.")
        self._chats.mark_read(shop, wamid, typing=indicator is not None)
        return web.json_response({"success": True})

    def _send(self, shop: Shop, payload: Json, request: web.Request) -> web.StreamResponse:
        phone = self._receiver(payload)
        try:
            kind = check_message(payload)
            self._chats.media.check(shop, payload)
            fault = self._fault("graph.send")
            wamid = self._accept(shop, phone, kind, payload, fails=fault == "failed")
        except GraphError as error:
            if phone is not None:
                self._chats.note(phone, shop, f"{error} — {error.details}")
            raise
        if fault == "drop" and request.transport is not None:
            request.transport.close()
        return web.json_response(_accepted(phone, payload, wamid))

    def _fault(self, at: str) -> str:
        """The name of the fault that strikes this call. Raises GraphError for one that is an answer."""
        fault = self._stage.faults.take_name(at)
        if fault in ANSWERS:
            code, status, details = ANSWERS[fault]
            raise GraphError(code, details, status)
        return fault

    def _accept(self, shop: Shop, phone: Phone | None, kind: str, payload: Json, *, fails: bool) -> str:
        """The id of the message, which may never arrive. Raises GraphError."""
        if phone is not None and not fails:
            return self._chats.deliver(shop, phone, kind, payload).id
        to = str(payload.get("to", ""))
        if "." in to:  # A user id put into `to` is answered 200 and lost without a word, by Meta too.
            self._stage.log("whatsapp", f"lost: {to} stands in to, it belongs into recipient", good=False)
            return self._stage.ids.wamid()
        return self._chats.fail(shop, payload, UNDELIVERABLE)

    def _receiver(self, payload: Json) -> Phone | None:
        """Whom an even invalid payload is for, so that its refusal can be shown on that phone."""
        if not isinstance(payload, dict):
            return None
        address = payload.get("to", payload.get("recipient"))
        return self._chats.addressed(payload) if isinstance(address, str) else None


def _template(template: Template) -> Json:
    components: list[Json] = [{"type": "BODY", "text": template.body}]
    if template.buttons:
        buttons = [{"type": "QUICK_REPLY", "text": each} for each in template.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    told = {"name": template.name, "language": template.language, "status": template.status}
    return {**told, "category": template.category, "components": components}


def _accepted(phone: Phone | None, payload: Json, wamid: str) -> Json:
    by_number = "to" in payload
    contact = {"input": payload["to" if by_number else "recipient"]}
    if by_number:
        number = phone.line if phone and phone.line else payload["to"]
        contact["wa_id"] = "".join(filter(str.isdigit, number))
    else:
        contact["user_id"] = payload["recipient"]
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}


async def _json(request: web.Request) -> Json:
    try:
        payload: Json = json.loads(await request.read())
    except ValueError:
        raise GraphError(100, "The request body is not JSON.") from None
    return payload


def _about(upload: Upload, request: web.Request) -> Json:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media"""
    return {
        "messaging_product": "whatsapp",
        "url": str(request.url.with_query(None) / "file"),
        "mime_type": upload.media_type,
        "sha256": hashlib.sha256(upload.content).hexdigest(),
        "file_size": len(upload.content),
        "id": request.match_info["phone_number_id"],
    }
