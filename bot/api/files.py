"""Files: a body that is a file: as it is, or in a form."""

import hashlib
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser

from aiohttp import web

from bot.api.problems import Problem

MOST_BYTES = 160 * 1024  # with what a form puts around it
_AS_IT_IS = ("text/csv", "application/csv", "text/plain")


@dataclass(frozen=True)
class File:
    name: str
    content: bytes

    @property
    def digest(self) -> bytes:
        """The same whatever form it came in."""
        return hashlib.sha256(self.name.encode("utf-8", "surrogatepass") + b"\0" + self.content).digest()


def of(request: web.Request, raw: bytes) -> File:
    """Raises Problem."""
    content_type = request.headers.get("Content-Type", "")
    disposition = request.headers.get("Content-Disposition", "")
    head = Message()
    head["Content-Type"] = content_type
    kind = head.get_content_type()
    if kind in _AS_IT_IS:
        told = Message()
        told["Content-Disposition"] = disposition or "attachment"
        return File(told.get_filename() or "upload.csv", raw)
    if kind != "multipart/form-data":
        title = "The body is no CSV file"
        detail = "Send text/csv, or multipart/form-data with one part named file."
        raise Problem(415, "unsupported_media_type", title, detail=detail)
    whole = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    parts = [part for part in whole.walk() if part.get_param("name", header="content-disposition") == "file"]
    content = parts[0].get_payload(decode=True) if len(parts) == 1 else None
    if not isinstance(content, bytes):
        raise Problem(
            400, "malformed_body", "Malformed body", detail="The form has not exactly one part named file."
        )
    return File(parts[0].get_filename() or "upload.csv", content)
