import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.whatsapp.outgoing import addressed, bodies, length, split
from flows.reply import Link, Option, Reply
from flows.text import Text, Typed


def reply(*labels, **more):
    options = tuple(Option(f"c{n}", Text(label)) for n, label in enumerate(labels))
    return Reply(Text("Which?"), options, thread="main", step="a.B", nonce="n1", **more)


def test_up_to_three_short_options_are_buttons():
    (body,) = bodies(reply("Pay", "Change method", "Cancel"), "en")
    buttons = body["interactive"]["action"]["buttons"]
    assert [button["reply"]["title"] for button in buttons] == ["Pay", "Change method", "Cancel"]
    assert buttons[0]["reply"]["id"] == "main|a.B|n1|c0"


def test_four_to_ten_options_are_a_list_and_so_are_options_with_notes():
    (body,) = bodies(reply(*"ABCD"), "en")
    assert body["interactive"]["type"] == "list"
    assert len(body["interactive"]["action"]["sections"][0]["rows"]) == 4
    noted = Reply(Text("Which?"), (Option("a", Text("A"), Text("why " * 40)),), menu=Text("Open"))
    (body,) = bodies(noted, "en")
    (row,) = body["interactive"]["action"]["sections"][0]["rows"]
    assert body["interactive"]["action"]["button"] == "Open"
    assert length(row["description"]) <= 72


@pytest.mark.parametrize("typed", ["word " * 400, "🙏" * 2000, "\n".join("line" * 400)])
def test_what_people_typed_gives_way_before_the_facts_part_from_the_buttons(typed):
    noted = Text("{facts}\nNote: {note}", facts=Text("Amount: {amount}", amount="7" * 900), note=Typed(typed))
    (body,) = bodies(Reply(noted, reply("Approve").options), "en")
    facts, note = body["interactive"]["body"]["text"].split("\n")
    assert facts == "Amount: " + "7" * 900
    assert length(f"{facts}\n{note}") <= 1024
    assert note.endswith("…")


def test_what_people_typed_is_whole_where_there_is_room():
    (body,) = bodies(Reply(Text("Note: {note}", note=Typed("word " * 200)), reply("Pay").options), "en")
    assert body["interactive"]["body"]["text"] == "Note: " + " ".join(["word"] * 200)
    plain = bodies(Reply(Text("Note: {note}", note=Typed("word " * 500))), "en")
    assert plain[0]["text"]["body"] == "Note: " + " ".join(["word"] * 500)


PICTURE = "https://example.org/soap.jpg"
SHOWN = {"type": "image", "image": {"link": PICTURE}}


def test_a_picture_stands_above_the_buttons_of_the_last_part():
    (body,) = bodies(reply("Pay", image=PICTURE), "en")
    assert body["interactive"]["header"] == SHOWN
    *before, last = bodies(Reply(Text("word " * 400), reply("Pay").options, image=PICTURE), "en")
    assert [each["type"] for each in before] == ["text"]
    assert last["interactive"]["header"] == SHOWN


def test_a_list_has_no_picture():
    (body,) = bodies(reply(*"ABCD", image=PICTURE), "en")
    assert "header" not in body["interactive"]


def test_where_there_are_no_buttons_the_words_are_below_the_picture():
    assert bodies(reply(image=PICTURE), "en") == [
        {"type": "image", "image": {"link": PICTURE, "caption": "Which?"}}
    ]
    image, *rest = bodies(Reply(Text("word " * 400), image=PICTURE), "en")
    assert length(image["image"]["caption"]) <= 1024
    assert [each["type"] for each in rest] == ["text"]


def test_numbered_options_keep_their_notes():
    options = (Option("a", Text("Soap"), Text("KES 1")), Option("b", Text("Soap"), None))
    (body,) = bodies(Reply(Text("Which?"), options), "en")
    assert body["text"]["body"] == "Which?\n1. Soap: KES 1\n2. Soap"


@pytest.mark.parametrize("labels", [["x" * 25], list("ABCDEFGHIJK"), ["Same", "Same"]])
def test_what_fits_neither_is_numbered_text(labels):
    (body,) = bodies(reply(*labels), "en")
    assert body["type"] == "text"
    assert f"1. {labels[0]}" in body["text"]["body"]


def test_a_link_a_contact_request_and_plain_words():
    (link,) = bodies(Reply(Text("Pay here"), link=Link(Text("Pay"), "https://pay.example/1")), "en")
    assert link["interactive"]["action"]["parameters"]["url"] == "https://pay.example/1"
    (ask,) = bodies(Reply(Text("Which number?"), asks_for_number=True), "en")
    assert ask["interactive"]["type"] == "request_contact_info"
    (words,) = bodies(Reply(Text("Hello {name}", name="Achieng {x}")), "en")
    assert words["text"] == {"body": "Hello Achieng {x}", "preview_url": False}


def test_the_phone_is_preferred_and_a_user_id_never_goes_into_to():
    known = json.loads(addressed(b'{"type":"text"}', "+254712345678", "KE.1", "7"))
    assert known["type"] == "text"
    assert known["to"] == "+254712345678"
    assert "recipient" not in known
    hidden = json.loads(addressed(b'{"type":"text"}', None, "KE.1", "7"))
    assert hidden["recipient"] == "KE.1"
    assert "to" not in hidden
    assert hidden["biz_opaque_callback_data"] == "7"


WORDS = st.lists(st.text(alphabet="abcé😀", min_size=1, max_size=30), min_size=1, max_size=80)


@given(WORDS, st.integers(min_value=64, max_value=200))
@example(["a" * 10 + "😀" * 4, "a" * 25 + "😀" * 30], 96)  # the one break within is before the middle
def test_long_text_is_split_between_words_and_nothing_is_lost(words, most):
    text = " ".join(words)
    parts = split(text, most)
    assert all(length(part) <= most for part in parts)
    assert " ".join(parts).split() == words


@given(WORDS)
def test_a_question_that_is_too_long_keeps_its_buttons_on_the_last_message(words):
    long = Text(" ".join(words * 20))
    *before, last = bodies(Reply(long, (Option("a", Text("Yes")),)), "en")
    assert all(body["type"] == "text" for body in before)
    assert last["interactive"]["action"]["buttons"][0]["reply"]["title"] == "Yes"
    assert length(last["interactive"]["body"]["text"]) <= 1024
