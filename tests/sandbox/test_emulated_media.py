"""Uploads to the emulated Graph API, and what the phones page opens of them."""

import io

import aiohttp
import pytest

from bot.whatsapp.client import Fetched, WhatsApp
from tests.sandbox.conftest import until
from tests.sandbox.payloads import TO, buttons

PDF, PNG = b"%PDF-1.3 and so on", b"\x89PNG and so on"


async def upload(sandbox, content=PDF, media_type="application/pdf", token="token-1", **fields):
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": media_type} | fields)
    if content is not None:
        form.add_field("file", io.BytesIO(content), content_type=media_type, filename="receipt.pdf")
    url = f"{sandbox.url}/v25.0/106540352242922/media"
    headers = {"Authorization": f"Bearer {token}"}
    async with sandbox.session.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def last(sandbox):
    return (await sandbox.look("phones/achieng/messages"))["messages"][-1]


async def test_what_was_uploaded_is_sent_by_its_id_and_opened_on_the_phone(sandbox):
    await sandbox.hear()
    status, answer = await upload(sandbox)
    assert (status, list(answer)) == (200, ["id"])
    document = {"id": answer["id"], "filename": "Receipt K7Q2X0.pdf", "caption": "Here it is"}
    status, _ = await sandbox.graph(to=TO, type="document", document=document)
    assert status == 200
    shown = await last(sandbox)
    assert (shown["kind"], shown["text"]) == ("document", "Here it is")
    assert shown["media"]["name"] == "Receipt K7Q2X0.pdf"
    async with sandbox.session.get(sandbox.url + shown["media"]["url"]) as opened:
        assert (opened.content_type, await opened.read()) == ("application/pdf", PDF)


async def test_it_may_be_the_header_of_buttons(sandbox):
    await sandbox.hear()
    _, answer = await upload(sandbox, PNG, "image/png")
    message = buttons("Yes")
    message["interactive"]["header"] = {"type": "image", "image": {"id": answer["id"]}}
    assert (await sandbox.graph(**message))[0] == 200
    assert (await last(sandbox))["media"] == {"kind": "image", "url": f"/media/{answer['id']}", "name": ""}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": None}, 100),
        ({"content": b""}, 100),
        ({"messaging_product": "sms"}, 100),
        ({"media_type": "application/zip"}, 100),
        ({"type": "image/png"}, 100),
        ({"content": b"x" * (5 * 1024 * 1024 + 1), "media_type": "image/png"}, 131053),
        ({"token": "another"}, 190),
    ],
    ids=["no file", "empty", "product", "zip", "other type", "too large", "token"],
)
async def test_what_meta_would_not_take_is_refused_in_its_shape(sandbox, fields, code):
    status, answer = await upload(sandbox, **fields)
    assert status in (400, 401)
    assert answer["error"]["code"] == code
    assert answer["error"]["error_data"]["messaging_product"] == "whatsapp"


@pytest.mark.parametrize(
    ("kind", "named", "code"),
    [
        ("document", {"id": "1"}, 131009),
        ("document", {"id": "1", "link": "https://example.org/d.pdf"}, 131009),
        ("image", {}, 131053),
    ],
)
async def test_a_message_names_what_is_there_and_of_its_kind(sandbox, kind, named, code):
    await sandbox.hear()
    _, answer = await upload(sandbox)
    status, refused = await sandbox.graph(to=TO, type=kind, **{kind: named or {"id": answer["id"]}})
    assert (status, refused["error"]["code"]) == (400, code)


async def test_an_upload_can_be_made_to_fail(sandbox):
    await sandbox.arm("graph.media", "500")
    status, answer = await upload(sandbox)
    assert (status, answer["error"]["code"]) == (500, 131000)
    await sandbox.arm("graph.media", "drop")
    with pytest.raises(aiohttp.ClientError):
        await upload(sandbox)


async def test_a_file_that_is_gone_is_not_found(sandbox):
    async with sandbox.session.get(f"{sandbox.url}/media/1") as opened:
        assert opened.status == 404


async def test_a_file_that_a_phone_sends_is_had_by_its_id(sandbox):
    await sandbox.act("phones/achieng/file", name="pay.csv", content="to,number,amount")
    client = WhatsApp(sandbox.session, sandbox.url, "v25.0")
    await until(lambda: sandbox.app.messages)
    document = sandbox.app.messages[-1]["document"]
    assert document["filename"] == "pay.csv"
    number = "106540352242922"
    assert await client.fetch(number, "token-1", document["id"], 100) == Fetched(b"to,number,amount")
    assert await client.fetch(number, "token-2", document["id"], 100) is None
