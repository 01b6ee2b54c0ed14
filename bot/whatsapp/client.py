"""The Cloud API client: one send, and what is known of it afterwards.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

import asyncio
import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.jsons import dumps, loads
from bot.whatsapp.errors import TEMPLATE_PROBLEMS, Verdict, verdict
from services.points import point

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
_UPLOAD = aiohttp.ClientTimeout(total=15, connect=5)  # and then a send, within a lease
_COURTESY = aiohttp.ClientTimeout(total=5)
_OK, _FAULT = 200, 500
_MOST_TOLD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """Accepted, not yet delivered."""

    wamid: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Provably never reached Meta."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file; of one that is too large its beginning, longer than what is taken."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta said no, and why."""

    verdict: Verdict
    reason: str
    code: int | None

    @property
    def of_template(self) -> bool:
        """Sent as a template, it cannot pass, whoever it is for."""
        return self.verdict is Verdict.WINDOW_CLOSED or self.code in TEMPLATE_PROBLEMS


@dataclass(frozen=True, slots=True)
class UnknownSend:
    """The request left; whether it was accepted is not known. There is no id to ask by."""

    reason: str


Outcome = Sent | NotSent | Refused | UnknownSend


class WhatsApp:
    """Sends for any number. Neither tokens nor phones appear in what it returns or raises."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        graph_url: str,
        api_version: str,
        *,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> None:
        self._http, self._timeout = http, timeout
        self._base = f"{graph_url.rstrip('/')}/{api_version}"

    async def send(self, phone_number_id: str, access_token: str, body: bytes) -> Outcome:
        """`body` is the JSON of a message with its recipient."""
        point("outbox.sending")
        try:
            status, answer = await self._post(phone_number_id, access_token, body, self._timeout)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            return UnknownSend(type(error).__name__)
        point("outbox.accepted")
        return _outcome(status, answer)

    async def upload(
        self, phone_number_id: str, access_token: str, content: bytes, media_type: str, name: str
    ) -> Sent | NotSent | Refused:
        """Media that a message can name; `Sent` has its id. What became of one does not matter: an upload
        that nobody names is sent to nobody."""
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": media_type})
        form.add_field("file", BytesIO(content), content_type=media_type, filename=name)
        try:
            async with self._http.post(
                f"{self._base}/{phone_number_id}/media",
                data=form,
                headers={"Authorization": f"Bearer {access_token}"},
                timeout=_UPLOAD,
                allow_redirects=False,
            ) as response:
                status, answer = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            return Refused(Verdict.RETRY, f"media: {type(error).__name__}", None)
        match _parsed(answer):
            case {"id": str(media)} if status == _OK and media:
                return Sent(media)
        outcome = _outcome(status, answer)
        return (
            outcome if isinstance(outcome, Refused) else Refused(Verdict.RETRY, f"media: HTTP {status}", None)
        )

    async def fetch(
        self, phone_number_id: str, access_token: str, media: str, most: int
    ) -> Fetched | NotSent | None:
        """A file that was sent to the number, and one byte above `most` at the most; None where it is not
        to be had, or is not what Meta says it is. Its address is asked for first, and lives for minutes.
        https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
        """
        safe = ("https://", self._base.rpartition("/")[0])
        about = f"{self._base}/{quote(media, safe='')}?phone_number_id={quote(phone_number_id, safe='')}"
        try:
            told = _parsed(await self._get(about, access_token, _MOST_TOLD))
            match told:
                case {"url": str(url), "sha256": str(told_digest)} if url.startswith(safe):
                    content = await self._get(url, access_token, most)
                case _:
                    return None
        except aiohttp.ClientResponseError as error:
            return NotSent("media: HTTP 5xx") if error.status >= _FAULT else None
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            return NotSent(f"media: {type(error).__name__}")
        whole = len(content) <= most
        same = hashlib.sha256(content).hexdigest() == told_digest.lower()
        return Fetched(content) if same or not whole else None

    async def _get(self, url: str, access_token: str, most: int) -> bytes:
        """Raises ClientResponseError."""
        async with self._http.get(
            url,
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=_UPLOAD,
            allow_redirects=False,
        ) as response:
            if response.status != _OK:
                raise aiohttp.ClientResponseError(response.request_info, (), status=response.status)
            content = bytearray()
            async for part in response.content.iter_any():
                content += part
                if len(content) > most:
                    break
            return bytes(content[: most + 1])

    async def mark_read(self, phone_number_id: str, access_token: str, message_id: str) -> bool:
        """Blue ticks and the typing indicator, until we answer or for 25 seconds. May fail freely."""
        body = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message_id,
            "typing_indicator": {"type": "text"},
        }
        try:
            status, _ = await self._post(phone_number_id, access_token, dumps(body), _COURTESY)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError):
            return False
        return status == _OK

    async def give_forms_key(self, phone_number_id: str, access_token: str, public_pem: str) -> str | None:
        """What Meta says against it; None where it has taken it. Raises ClientError and TimeoutError."""
        async with self._http.post(
            f"{self._base}/{phone_number_id}/whatsapp_business_encryption",
            data={"business_public_key": public_pem},
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            outcome = _outcome(response.status, await response.read())
            taken = response.status == _OK
        return None if taken else getattr(outcome, "reason", f"HTTP {response.status}")

    async def _post(
        self,
        phone_number_id: str,
        access_token: str,
        body: bytes,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  the client's own
    ) -> tuple[int, bytes]:
        async with self._http.post(
            f"{self._base}/{phone_number_id}/messages",
            data=body,
            headers={"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"},
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            return response.status, await response.read()


def _outcome(status: int, answer: bytes) -> Outcome:
    match _parsed(answer):
        case None:
            return UnknownSend(f"HTTP {status} without JSON")
        case {"messages": [{"id": str(wamid)}, *_]} if status == _OK:
            return Sent(wamid)
        case {"error": {"code": int(code)} as error}:
            details = error.get("error_data")
            words = details.get("details") if isinstance(details, dict) else None
            return Refused(verdict(status, code), str(words or error.get("message", ""))[:500], code)
    return UnknownSend(f"HTTP {status} of no known shape")


def _parsed(answer: bytes) -> Any:
    """None for what is no JSON."""
    try:
        return loads(answer)
    except ValueError:
        return None
