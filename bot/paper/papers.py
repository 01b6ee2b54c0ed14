"""Papers: the files that go with messages: made from their words, uploaded, and named in the message.

A message in the outbox holds what is on its paper, sealed with the rest of it, and never a file: so it is as
good after a crash, and small. Of a statement it holds the period alone: the ledger has its lines, and they do
not change. What Meta has uploaded is known here for as long as Meta keeps it, so that a
retry, or the same receipt once more, is no second upload; a process that knows nothing of it uploads again,
which nobody sees.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot.jsons import dumps, loads
from bot.paper.codes import Codes
from bot.paper.statement.making import MEDIA_TYPES, Statements, Wanted
from bot.whatsapp.client import NotSent, Outcome, Refused, Sent, WhatsApp
from bot.whatsapp.documents import PAPER, in_words, slot
from services.people.tenants import Tenant
from services.statement.period import Period

_BEGINS = f'{{"{PAPER}":'.encode()
_KEPT = timedelta(days=29)  # Meta keeps media for thirty
_MOST_KEPT = 1000
_MADE_WITHIN = 8.0  # seconds; with the upload and the send, less than a message's lease
_PDF, _PNG, _PLAIN = "application/pdf", "image/png", "text/plain"  # the last is what Meta takes CSV as

# One at a time: making a page takes a tenth of a second of the interpreter, and messages go on meanwhile.
_making = ThreadPoolExecutor(max_workers=1, thread_name_prefix="papers")


class Papers:
    def __init__(
        self,
        whatsapp: WhatsApp,
        clock: Callable[[], datetime],
        statements: Statements,
        made_within: float = _MADE_WITHIN,
        codes: Codes | None = None,
    ) -> None:
        self._whatsapp, self._clock, self._made_within = whatsapp, clock, made_within
        self._statements, self._codes = statements, codes
        self._known: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()

    async def named(
        self, tenant: Tenant, phone_number_id: str, access_token: str, body: bytes
    ) -> bytes | NotSent | Refused:
        """The message with the id of its file, uploaded where that is not known; a message without paper, and
        one whose picture cannot be drawn, in its words; else why there is no upload."""
        if not body.startswith(_BEGINS):
            return body
        message = loads(body)
        paper = message.pop(PAPER)
        key = _key(phone_number_id, paper)
        media = self._media(key)
        if media is None:
            try:
                async with asyncio.timeout(self._made_within):
                    made = await self._made(tenant, paper)
            except TimeoutError:
                return NotSent("its file waits for those of others")
            if made is None:
                return dumps(in_words(message, paper))
            uploaded = await self._upload(phone_number_id, access_token, message, paper, made)
            if not isinstance(uploaded, Sent):
                return uploaded
            media = uploaded.wamid
            self._remember(key, media)
        slot(message, paper)["id"] = media
        return dumps(message)

    def answered(self, phone_number_id: str, body: bytes, answer: Outcome) -> None:
        """A refusal may be about the media: it is uploaded anew the next time."""
        if isinstance(answer, Refused) and body.startswith(_BEGINS):
            self._known.pop(_key(phone_number_id, loads(body)[PAPER]), None)

    async def _made(self, tenant: Tenant, paper: dict[str, Any]) -> bytes | None:
        if paper["kind"] == "PaymentCode":
            return await self._codes.drawn(tenant, paper) if self._codes else None
        if paper["kind"] == "BatchFile":
            return await self._statements.batch(tenant, UUID(paper["batch"]))
        if paper["kind"] != "StatementFile":
            return await asyncio.get_running_loop().run_in_executor(_making, made_of, paper)
        period = Period(datetime.fromisoformat(paper["since"]), datetime.fromisoformat(paper["until"]))
        with await self._statements.made(tenant, Wanted(period, paper["form"], paper["language"])) as file:
            return file.read()

    async def _upload(
        self,
        phone_number_id: str,
        access_token: str,
        message: dict[str, Any],
        paper: dict[str, Any],
        made: bytes,
    ) -> Sent | NotSent | Refused:
        name = slot(message, paper).get("filename", "picture.png")
        return await self._whatsapp.upload(phone_number_id, access_token, made, _media_type(paper), name)

    def _media(self, key: bytes) -> str | None:
        media, until = self._known.get(key, (None, None))
        return media if until is not None and until > self._clock() else None

    def _remember(self, key: bytes, media: str) -> None:
        self._known[key] = media, self._clock() + _KEPT
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)


def made_of(paper: dict[str, Any]) -> bytes:
    """The file: the same for the same paper. What makes it is loaded when the first one is made: it takes a
    second, which no start of the program need wait for."""
    if paper["kind"] == "QrCode":
        from bot.paper.qr import png

        return png(paper["content"])
    from bot.paper.pdf import pdf

    return pdf(paper)


def _media_type(paper: dict[str, Any]) -> str:
    if paper["kind"] == "BatchFile":
        return _PLAIN
    if paper["kind"] == "StatementFile":
        return MEDIA_TYPES[paper["form"]].partition(";")[0]
    return _PDF if paper["media"] == "document" else _PNG


def _key(phone_number_id: str, paper: dict[str, Any]) -> bytes:
    """Media belongs to the number that uploaded it."""
    return hashlib.sha256(phone_number_id.encode() + b"|" + dumps(paper)).digest()
