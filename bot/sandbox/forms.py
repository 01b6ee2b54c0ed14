"""Forms: what a phone does with a form: asks the app for it, under seal, shows it, and sends it off.

Written without the app's own code of it. Source: https://developers.facebook.com/docs/whatsapp/flows
"""

import base64
import json
import os
import re
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.sandbox.chats import Chats
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from bot.sandbox.webhooks import sign
from bot.sandbox.world import CannotError, Json, Phone, Shop

_OK, _OVER = 200, 427
_TAG = 16


class Forms:
    def __init__(self, chats: Chats) -> None:
        self._chats = chats
        self._stage = chats.stage

    async def ask(self, phone: Phone, shop: Shop, wamid: str, data: Json | None) -> Json:
        """Opens a form, or sends off what was filled in: {"form"} as it is shown then, or {"over": words}
        where it no longer is. Raises CannotError where no form can be had."""
        message = self._chats.message(wamid)
        if message is None or message.phone != phone.key or "form" not in message.parts:
            raise CannotError("no form stands in this message")
        told = await self._exchange(message, data)
        if "error_msg" in told:
            return self._over(message, told["error_msg"])
        if told.get("screen") != "SUCCESS":
            return {"form": shown(self._layout(message), told)}
        params = told["data"]["extension_message_response"]["params"]
        Person(self._chats, phone, shop).send_form(message, params)
        return self._over(message, "Sent")

    def _over(self, message: Message, words: str) -> Json:
        """The button of the message no longer opens anything."""
        message.parts["form"]["over"] = words
        told = {"id": message.id, "phone": message.phone, "shop": message.shop, "over": words}
        self._stage.feed.tell("form", told)
        return {"over": words}

    def _layout(self, message: Message) -> Json:
        layout: Json | None = self._stage.world.forms.get(message.parts["form"]["id"])
        if layout is None:
            raise CannotError(f"no form {message.parts['form']['id']} is published here")
        return layout

    async def _exchange(self, message: Message, data: Json | None) -> Json:
        world = self._stage.world
        if world.forms_key is None:
            raise CannotError("the app has published no key for forms")
        asked = {
            "version": self._layout(message)["data_api_version"],
            "action": "INIT" if data is None else "data_exchange",
            "screen": "" if data is None else self._layout(message)["screens"][0]["id"],
            "flow_token": message.parts["form"]["token"],
            "data": data or {},
        }
        sealed = Sealed(world.forms_key)
        body = sealed.body(asked)
        url = f"{world.app_url}/webhooks/whatsapp/forms"
        signature = {"X-Hub-Signature-256": sign(world.app_secret, body)}
        status, answer = await self._stage.wire.ask(url, body, signature)
        self._stage.log("whatsapp", f"form {asked['action']}: {status}", good=status == _OK)
        if status not in (_OK, _OVER):
            raise CannotError(f"the form's endpoint answered {status}: {answer[:100]!r}")
        return sealed.read(answer)


class Sealed:
    """One exchange: the phone's key, and its nonce."""

    def __init__(self, public_pem: str) -> None:
        self._public: Any = load_pem_public_key(public_pem.encode())
        self._key, self._nonce = os.urandom(16), os.urandom(16)

    def body(self, asked: Json) -> bytes:
        encryptor = Cipher(algorithms.AES(self._key), modes.GCM(self._nonce)).encryptor()
        data = encryptor.update(json.dumps(asked).encode()) + encryptor.finalize() + encryptor.tag
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        parts = {
            "encrypted_flow_data": data,
            "encrypted_aes_key": self._public.encrypt(self._key, oaep),
            "initial_vector": self._nonce,
        }
        return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()

    def read(self, answer: bytes) -> Json:
        """Raises CannotError for one that a phone could not open."""
        try:
            raw = base64.b64decode(answer, validate=True)
            nonce = bytes(255 - each for each in self._nonce)
            decryptor = Cipher(algorithms.AES(self._key), modes.GCM(nonce, raw[-_TAG:])).decryptor()
            told: Json = json.loads(decryptor.update(raw[:-_TAG]) + decryptor.finalize())
        except (ValueError, InvalidTag):
            raise CannotError("the phone cannot open the form's answer") from None
        return told


def shown(layout: Json, told: Json) -> Json:
    """A screen of Flow JSON with its data: {"heading", "fields": [...], "done"}."""
    data = told["data"]
    screen = next(one for one in layout["screens"] if one["id"] == told["screen"])
    (form,) = screen["layout"]["children"]
    wrong = data.get("error_messages", {})

    def filled(value: Any) -> Any:
        place = re.fullmatch(r"\$\{data\.(\w+)\}", value) if isinstance(value, str) else None
        return data[place[1]] if place else value

    fields = [
        {
            "name": part["name"],
            "label": filled(part["label"]),
            "options": filled(part.get("data-source")),
            "most": part.get("max-chars"),
            "wrong": wrong.get(part["name"]),
        }
        for part in form["children"]
        if "name" in part
    ]
    by_type = {part["type"]: part for part in form["children"]}
    heading, footer = by_type["TextSubheading"]["text"], by_type["Footer"]["label"]
    return {"heading": filled(heading), "fields": fields, "done": filled(footer)}
