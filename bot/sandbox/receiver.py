"""Receiver: a program of the shop's own that webhooks are posted to.

It verifies each as the Standard Webhooks specification has it, by code of its own: a mistake of the sender
must not cancel out here. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import base64
import hmac
import json
from collections import deque
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from aiohttp import web

from bot.sandbox.stage import Stage
from bot.sandbox.world import RECEIVER_PATH, Json

ANSWERS = ("200", "500", "410", "slow")
_TOLERANCE = 300  # seconds
_KEPT = 100
_MOST_SHOWN = 16_384  # signs of a body
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_TAKEN, _UNSIGNED = 200, 401


class Receiver:
    """`answer`: what the person at the page has it say to what is rightly signed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.answer = ANSWERS[0]
        self._posts: deque[Json] = deque(maxlen=_KEPT)
        self._came = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post(RECEIVER_PATH, self.take)]

    def view(self) -> list[Json]:
        """{"n", "at", "type", "object", "webhook_id", "try", "taken_before", "headers": [[name, value]],
        "body", "wrong": what is wrong with its signature or null, "status", "after": seconds}, the oldest
        first."""
        return list(self._posts)

    def reset(self) -> None:
        self.answer = ANSWERS[0]
        self._posts.clear()

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        endpoint = self._stage.world.endpoint
        now = self._stage.world.now().timestamp()
        secrets = endpoint.secrets if endpoint is not None else ()
        wrong = wrong_with(secrets, request.headers, raw, int(now))
        slow = wrong is None and self.answer == "slow"
        status = _UNSIGNED if wrong else _TAKEN if slow else int(self.answer)
        after = self._stage.world.receiver_seconds if slow else 0
        self._keep(request.headers, raw, {"wrong": wrong, "status": status, "after": after})
        await asyncio.sleep(after)
        return web.json_response({"error": wrong} if wrong else {}, status=status)

    def _keep(self, headers: Mapping[str, str], raw: bytes, told: Json) -> None:
        id_, type_, object_ = headers.get("webhook-id", ""), *_named(raw)
        earlier = [post for post in self._posts if post["webhook_id"] == id_ and post["wrong"] is None]
        self._came += 1
        post = {
            "n": self._came,
            "at": self._stage.now_ms,
            "type": type_,
            "object": object_,
            "webhook_id": id_,
            "try": len(earlier) + 1,
            "taken_before": any(post["status"] == _TAKEN for post in earlier),
            "headers": [[name.lower(), value] for name, value in headers.items()],
            "body": raw.decode(errors="replace")[:_MOST_SHOWN],
            **told,
        }
        self._posts.append(post)
        self._stage.feed.tell("webhook", post)
        said = f"{type_}, answered {post['status']}"
        self._stage.log("shop", said, good=told["status"] == _TAKEN and not told["after"])


def wrong_with(secrets: Sequence[str], headers: Mapping[str, str], raw: bytes, now: int) -> str | None:
    """Why a post is not to be believed; None where it is signed by one of the secrets. `now`: seconds."""
    missing = next((name for name in _HEADERS if not headers.get(name)), None)
    if missing is not None:
        return f"{missing} is missing"
    id_, at, signatures = (headers[name] for name in _HEADERS)
    if not (at.isascii() and at.isdigit()):
        return "webhook-timestamp is no number of seconds"
    if abs(now - int(at)) > _TOLERANCE:
        return "webhook-timestamp is more than five minutes from now"
    signed = b"%s.%s.%s" % (id_.encode(), at.encode(), raw)
    rights = [hmac.new(_key(secret), signed, sha256).digest() for secret in secrets]
    given = [_unpacked(each) for each in signatures.split(" ")]
    if any(hmac.compare_digest(right, each) for right in rights for each in given):
        return None
    return "webhook-signature is not by the secret of this endpoint"


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _unpacked(signature: str) -> bytes:
    """Of "v1,BASE64"; nothing of another version."""
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except ValueError:
        return b""


def _named(raw: bytes) -> tuple[str, str]:
    """The type and the id of what it is about."""
    try:
        body: Any = json.loads(raw)
        return str(body["type"]), str(body["data"]["id"])
    except (ValueError, LookupError, TypeError):
        return "no event", ""
