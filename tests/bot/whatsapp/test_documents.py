import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jsons import dumps
from bot.whatsapp.documents import PAPER, file_name
from bot.whatsapp.outgoing import bodies
from flows.document import Document, QrCode, Sheet, mapped
from flows.reply import Option, Reply
from flows.text import Text

SHEET = Sheet(
    heading=Text("{shop}", shop="Mama Njeri"),
    title=Text("Receipt {number}", number="K7Q2X0"),
    facts=((Text("Date"), Text("{at}", at=datetime(2026, 11, 24, 9, tzinfo=UTC))),),
    columns=(),
    rows=(),
    total=(Text("Total paid"), Text("500")),
    at=datetime(2026, 11, 24, 9, tzinfo=UTC),
)
PDF = Document(Text("Receipt {number} {shop}", number="K7Q2X0", shop="Mama Njeri"), SHEET)
PICTURE = Document(Text("QR"), QrCode("https://wa.me/254700000000?text=pay"))


def test_a_document_goes_with_its_words_and_its_name():
    (body,) = bodies(Reply(Text("Here it is"), document=PDF), "sw", "Africa/Nairobi")
    assert body["type"] == "document"
    assert body["document"] == {"caption": "Here it is", "filename": "Risiti K7Q2X0 Mama Njeri.pdf"}
    paper = body[PAPER]
    assert (paper["title"], paper["facts"]) == ("Risiti K7Q2X0", (("Tarehe", "24 Nov 2026, 12:00"),))
    assert dumps(body).startswith(b'{"_paper":{')


def test_with_buttons_it_is_their_header():
    options = (Option("a", Text("Earlier receipts")),)
    (body,) = bodies(Reply(Text("Here it is"), options, document=PDF), "en")
    assert body["interactive"]["header"]["type"] == "document"
    assert body["interactive"]["body"] == {"text": "Here it is"}
    (button,) = body["interactive"]["action"]["buttons"]
    assert button["reply"]["title"] == "Earlier receipts"


def test_with_what_takes_no_header_it_cannot_go():
    with pytest.raises(ValueError, match="a document goes with no list"):
        bodies(Reply(Text("Which?"), tuple(Option(c, Text(c)) for c in "abcd"), document=PDF), "en")


def test_a_picture_has_no_name():
    (body,) = bodies(Reply(Text("Scan it"), document=PICTURE), "en")
    assert (body["type"], body["image"]) == ("image", {"caption": "Scan it"})
    assert body[PAPER]["content"] == "https://wa.me/254700000000?text=pay"


def test_a_caption_that_is_too_long_goes_before_it():
    first, last = bodies(Reply(Text("word " * 300), document=PICTURE), "en")
    assert first["type"] == "text"
    assert len(last["image"]["caption"]) <= 1024


@pytest.mark.parametrize(
    ("name", "shaped"),
    [
        ("Receipt K7Q2X0", "Receipt K7Q2X0.pdf"),
        ("../../etc/passwd", "-..-etc-passwd.pdf"),
        ("a\\b:c*d?", "a-b-c-d-.pdf"),
        ("one\ntwo\r\n three", "one two three.pdf"),
        ("safe\u202efdp.exe", "safe fdp.exe.pdf"),
        ("\u200b\u2066 \u2069", "document.pdf"),
        ("...", "document.pdf"),
        ("N\u0303andu\u0301", "\u00d1and\u00fa.pdf"),
    ],
)
def test_a_name_is_shaped_and_never_refused(name, shaped):
    assert file_name(name, ".pdf") == shaped


@given(st.text(max_size=400))
def test_whatever_a_name_is_it_fits(name):
    shaped = file_name(name, ".pdf")
    assert shaped.endswith(".pdf")
    assert 5 <= len(shaped) <= 240
    assert not set(shaped) & set('\\/:*?"<>|\n\r')
    assert all(unicodedata.category(each) not in {"Cc", "Cf", "Cs"} for each in shaped)


def test_three_hundred_characters_are_cut():
    assert file_name("x" * 300, ".pdf") == "x" * 236 + ".pdf"


def test_every_text_of_a_document_is_changed_wherever_it_stands():
    shown = mapped(PDF, lambda text: text.msgid)
    assert shown.name == "Receipt {number} {shop}"
    assert shown.content.facts == (("Date", "{at}"),)
    assert shown.content.at == SHEET.at
