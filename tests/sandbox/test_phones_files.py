"""Files on the phones page: what was uploaded stands in a bubble, and opens."""

import io

import aiohttp
import pytest
from playwright.async_api import expect

from bot.paper.qr import png
from tests.sandbox.payloads import TO
from tests.sandbox.test_phones_page import shown

__all__ = ["shown"]  # the fixture
pytestmark = pytest.mark.browser

HEADERS = {"Authorization": "Bearer token-1"}


async def upload(shown, content, media_type):
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": media_type})
    form.add_field("file", io.BytesIO(content), content_type=media_type, filename="file")
    url = f"{shown.url}/v25.0/106540352242922/media"
    async with shown.session.post(url, data=form, headers=HEADERS) as answer:
        return (await answer.json())["id"]


async def send(shown, kind, media):
    body = {"messaging_product": "whatsapp", "to": TO, "type": kind, kind: media}
    url = f"{shown.url}/v25.0/106540352242922/messages"
    async with shown.session.post(url, json=body, headers=HEADERS) as answer:
        assert answer.status == 200


async def test_a_document_and_a_picture_stand_in_bubbles_and_open(shown):
    await shown.say("achieng", "menu")
    phone = shown.phone("achieng")
    await expect(phone.locator(".bubble.theirs")).not_to_have_count(0)
    document = {"id": await upload(shown, b"%PDF-1.3", "application/pdf"), "filename": "Receipt K7Q2X0.pdf"}
    await send(shown, "document", document)
    file = phone.locator("a.file")
    await expect(file).to_have_text("Receipt K7Q2X0.pdf")
    opened = await shown.page.request.get(shown.url + (await file.get_attribute("href")))
    assert opened.headers["content-type"] == "application/pdf"
    picture = {"id": await upload(shown, png("https://wa.me/1?text=pay"), "image/png"), "caption": "Scan it"}
    await send(shown, "image", picture)
    seen = phone.locator("img.picture")
    await expect(seen).to_be_visible()
    await shown.page.wait_for_function("document.querySelector('img.picture').naturalWidth > 0")
    assert shown.complaints == []
