"""QR: a picture that a camera reads, as large as a counter card needs."""

from io import BytesIO

import segno

_SCALE, _QUIET = 16, 4  # pixels of a module; modules around it, which a camera needs


def png(content: str) -> bytes:
    """The same for the same content."""
    picture = BytesIO()
    segno.make_qr(content, error="m").save(picture, kind="png", scale=_SCALE, border=_QUIET)
    return picture.getvalue()
