"""Ear: a wire between the app and M-Pesa that remembers all that goes over it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer


class Ear:
    def __init__(self, http: aiohttp.ClientSession, target: str) -> None:
        self._http, self._target = http, target
        self.url = ""
        self.heard: list[str] = []

    async def pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k in {"Authorization", "Content-Type"}}
        url = f"{self._target}{request.path_qs}"
        async with self._http.request(request.method, url, data=body, headers=headers) as answer:
            told = await answer.read()
        self.heard += [f"Authorization={headers.get('Authorization')}", body.decode(), told.decode()]
        return web.Response(status=answer.status, body=told, content_type=answer.content_type)

    def found(self, pattern: str) -> set[str]:
        return {group for text in self.heard for group in re.findall(pattern, text)}

    def secrets(self) -> dict[str, set[str]]:
        """What M-Pesa and we told each other that nobody else may know, by what it is."""
        return {
            "access token": self.found(r'"access_token": ?"([^"]+)"'),
            "basic credentials": self.found(r"Authorization=Basic (\S+)"),
            "password": self.found(r'"Password": ?"([^"]+)"'),
            "security credential": self.found(r'"SecurityCredential": ?"([^"]+)"'),
            "callback token": self.found(r"/hooks/([0-9a-f]{64})"),
            "id of a prompt": self.found(r'"CheckoutRequestID": ?"([^"]+)"'),
        }


@asynccontextmanager
async def listening(http: aiohttp.ClientSession, target: str) -> AsyncIterator[Ear]:
    ear, app = Ear(http, target), web.Application()
    app.router.add_route("*", "/{path:.*}", ear.pass_on)
    async with TestServer(app) as server:
        ear.url = str(server.make_url("")).rstrip("/")
        yield ear
