"""Answers: what a caller is told, whichever way it came in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web

_NONE: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """For aiohttp and for the short way beside it alike."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = _NONE

    @property
    def response(self) -> web.Response:
        return web.Response(status=self.status, text=self.text or None, headers=self.headers)
