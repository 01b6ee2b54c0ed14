"""Media: the emulated POST /{version}/{phone_number_id}/media, and what was uploaded, for the phones to open.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
"""

from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from bot.sandbox.graph_limits import GraphError
from bot.sandbox.ids import Ids
from bot.sandbox.world import Json, Shop

_MB = 1024 * 1024
_DOCUMENTS = (
    "application/pdf",
    "text/plain",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
_KINDS = {"image/jpeg": "image", "image/png": "image", **dict.fromkeys(_DOCUMENTS, "document")}
_MOST = {"image": 5 * _MB, "document": 100 * _MB}
_MOST_KEPT = 200  # files


@dataclass(frozen=True, slots=True)
class Upload:
    shop: str
    media_type: str
    content: bytes

    @property
    def kind(self) -> str:
        return _KINDS[self.media_type]


class Media:
    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def reset(self) -> None:
        self._kept.clear()

    async def take(self, shop: Shop, request: web.Request) -> str:
        """The id of what a form uploads. Raises GraphError."""
        if not request.content_type.startswith("multipart/"):
            raise GraphError(100, "The parameter file is required, in a form.")
        fields: dict[str, str] = {}
        content, media_type = None, ""
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise GraphError(100, "A part of the form is no field.")
            if part.name == "file":
                media_type = part.headers.get("Content-Type", "").partition(";")[0].strip()
                content = await _read(part, media_type)
            elif part.name is not None:
                fields[part.name] = await part.text()
        if fields.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        if content is None or not content:
            raise GraphError(100, "The parameter file is required.")
        if fields.get("type", media_type) != media_type:
            raise GraphError(100, f"Param type {fields['type']} is not that of the file, {media_type}.")
        media_id = self._ids.media()
        self._kept[media_id] = Upload(shop.phone_number_id, media_type, content)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return media_id

    def sent(self, shop: Shop, media_type: str, content: bytes) -> str:
        """The id of a file that a phone sends to the shop."""
        media_id = self._ids.media()
        self._kept[media_id] = Upload(shop.phone_number_id, media_type, content)
        return media_id

    def of(self, media_id: str, shops: list[Shop]) -> Upload | None:
        """What one of these shops was sent, or has uploaded."""
        upload = self._kept.get(media_id)
        mine = upload is not None and upload.shop in {shop.phone_number_id for shop in shops}
        return upload if mine else None

    def check(self, shop: Shop, payload: Json) -> None:
        """That the media which a message names is there, its shop's, and of its kind. Raises GraphError."""
        for kind, named in _named(payload):
            upload = self._kept.get(str(named["id"]))
            if upload is None or upload.shop != shop.phone_number_id:
                raise GraphError(131009, f"Media {named['id']!r} does not exist, or is another number's.")
            if upload.kind != kind:
                raise GraphError(131053, f"Media {named['id']} is a {upload.kind}, not a {kind}.")

    async def show(self, request: web.Request) -> web.Response:
        """To the page."""
        upload = self._kept.get(request.match_info["media"])
        if upload is None:
            raise web.HTTPNotFound(text="This file is no longer here.")
        return web.Response(body=upload.content, content_type=upload.media_type)


async def _read(part: BodyPartReader, media_type: str) -> bytes:
    """At most as much as its kind may have. Raises GraphError."""
    if media_type not in _KINDS:
        allowed = ", ".join(_KINDS)
        raise GraphError(100, f"Param file must be a file with one of the following types: {allowed}.")
    most = _MOST[_KINDS[media_type]]
    content = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        content += chunk
        if len(content) > most:
            raise GraphError(131053, f"Media of type {media_type} must be at most {most // _MB} MB.")
    return bytes(content)


def _named(payload: Json) -> list[tuple[str, Json]]:
    """The media of a checked message that it names by id, with its kind."""
    content = payload[payload.get("type", "text")]
    holders = [payload, content.get("header", {})]
    found = [(kind, each[kind]) for each in holders for kind in ("image", "document") if kind in each]
    return [(kind, media) for kind, media in found if "id" in media]
