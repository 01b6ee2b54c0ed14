"""The emulated Graph API keeps Meta's limits: at the limit taken, beyond it refused in Meta's words."""

import pytest

from tests.sandbox.payloads import TO, buttons, interactive, link, listed, rows, text

ASK = {"name": "request_contact_info"}


@pytest.mark.parametrize(
    "payload",
    [
        text("x" * 4096),
        text("x", context={"message_id": "wamid.unknown"}),
        buttons("Yes", "No", "x" * 20, ids=["a", "b", "c" * 256]),
        listed({"rows": rows(10, id="i" * 200, title="t" * 24, description="d" * 72)}, button="b" * 20),
        listed({"title": "t" * 24, "rows": rows(4)}, {"title": "Two", "rows": [{"id": "z", "title": "Z"}]}),
        link("x" * 20),
        interactive("request_contact_info", ASK, body={"text": "b" * 1024}),
        interactive(
            "cta_url",
            {"name": "cta_url", "parameters": {"display_text": "Go", "url": "http://127.0.0.1/"}},
            header={"type": "image", "image": {"link": "https://example.org/i.png"}},
            footer={"text": "f" * 60},
        ),
        {"to": TO, "type": "image", "image": {"link": "https://example.org/i.png", "caption": "c" * 1024}},
        {"to": TO, "type": "document", "document": {"link": "https://e.org/d.pdf", "filename": "d.pdf"}},
    ],
)
async def test_what_is_at_the_limit_is_taken(sandbox, payload):
    await sandbox.hear()
    status, answer = await sandbox.graph(**payload)
    assert status == 200, answer


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (text("x" * 4097), 100),
        ({"to": TO, "type": "image", "image": {"link": "https://example.org/i.webp"}}, 131053),
        (text(""), 100),
        (text(biz_opaque_callback_data="x" * 513), 100),
        (text(surprise=1), 100),
        ({"type": "text", "text": {"body": "to nobody"}}, 100),
        ({"to": TO, "type": "hologram", "hologram": {}}, 100),
        ({"to": TO, "type": "text"}, 131008),
        (text(recipient_type="group"), 100),
        (buttons(), 131009),
        (buttons("1", "2", "3", "4"), 131009),
        (buttons("x" * 21), 131009),
        (buttons("Same", "Same"), 131009),
        (buttons("One", "Two", ids=["same", "same"]), 131009),
        (buttons("One", ids=["x" * 257]), 131009),
        (buttons("One", ids=[" one"]), 131009),
        (listed({"rows": rows(11)}), 131009),
        (
            listed(
                {"title": "A", "rows": rows(6)},
                {"title": "B", "rows": [{"id": str(n), "title": "T"} for n in range(5)]},
            ),
            131009,
        ),
        (listed({"rows": rows(1)}, {"rows": [{"id": "z", "title": "Z"}]}), 131008),
        (listed({"rows": rows(1, title="t" * 25)}), 131009),
        (listed({"rows": rows(1, description="d" * 73)}), 131009),
        (listed({"rows": rows(1, id="i" * 201)}), 131009),
        (listed({"rows": rows(2, id="row-1")}), 131009),
        (listed({"rows": rows(1)}, button="b" * 21), 131009),
        (listed({"title": "t" * 25, "rows": rows(1)}), 131009),
        (link("x" * 21), 131009),
        (link(url="ftp://example.org"), 131009),
        (interactive("request_contact_info", {"name": "else"}), 131009),
        (interactive("carousel", {}), 131009),
        (interactive("cta_url", {"name": "cta_url"}), 131008),
        (
            interactive("request_contact_info", ASK, body={"text": "x" * 1025}),
            131009,
        ),
        (
            interactive("request_contact_info", ASK, footer={"text": "x" * 61}),
            131009,
        ),
        (interactive("list", {}, header={"type": "image", "image": {"link": "https://e.org/i.png"}}), 131009),
        ({"to": TO, "type": "image", "image": {"id": "123"}}, 131009),
    ],
)
async def test_what_meta_would_refuse_is_refused_in_its_words(sandbox, payload, code):
    await sandbox.hear()
    status, answer = await sandbox.graph(**payload)
    error = answer["error"]
    assert (status, error["code"]) == (400, code), error
    assert error["type"] == "OAuthException"
    assert error["message"].startswith(f"(#{code})")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["fbtrace_id"]
