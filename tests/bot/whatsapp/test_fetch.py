"""A file that was sent to a number is had from Meta: its address first, then no more of it than is taken."""

import hashlib

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.whatsapp.client import Fetched, NotSent, WhatsApp

CONTENT = b"to,number,amount\nphone,0712345678,500\n"


class Meta:
    client: WhatsApp

    def __init__(self):
        self.told = {"sha256": hashlib.sha256(CONTENT).hexdigest()}
        self.status = 200
        self.asked = []

    async def about(self, request):
        self.asked.append((request.path, request.headers["Authorization"]))
        url = f"http://{request.host}/v25.0/content"
        return web.json_response({"url": url} | self.told, status=self.status)

    async def content(self, request):
        self.asked.append((request.path, request.headers["Authorization"]))
        return web.Response(body=CONTENT)


@pytest.fixture
async def meta():
    meta, app = Meta(), web.Application()
    app.router.add_get("/v25.0/content", meta.content)
    app.router.add_get("/v25.0/{media}", meta.about)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        meta.client = WhatsApp(http, str(server.make_url("")), "v25.0")
        yield meta


async def test_the_file_is_had_with_the_tokens_of_its_number(meta):
    assert await meta.client.fetch("1065", "secret", "77", 1000) == Fetched(CONTENT)
    assert meta.asked == [("/v25.0/77", "Bearer secret"), ("/v25.0/content", "Bearer secret")]


async def test_of_a_large_one_only_the_beginning_is_read(meta):
    assert await meta.client.fetch("1065", "secret", "77", 10) == Fetched(CONTENT[:11])


async def test_what_is_not_what_meta_says_or_lies_elsewhere_is_not_had(meta):
    meta.told = {"sha256": "0" * 64}
    assert await meta.client.fetch("1065", "secret", "77", 1000) is None
    meta.told = {"sha256": "0" * 64, "url": "http://169.254.169.254/latest"}
    assert await meta.client.fetch("1065", "secret", "77", 1000) is None
    assert [path for path, _ in meta.asked] == ["/v25.0/77", "/v25.0/content", "/v25.0/77"]


@pytest.mark.parametrize(("status", "again"), [(503, True), (404, False)])
async def test_a_fault_of_metas_is_tried_again_and_a_no_is_not(meta, status, again):
    meta.status = status
    assert isinstance(await meta.client.fetch("1065", "secret", "77", 1000), NotSent) is again
