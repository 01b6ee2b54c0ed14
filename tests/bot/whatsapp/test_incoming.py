import copy
import hmac
import json
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.whatsapp.heard import hear
from bot.whatsapp.incoming import NotAnObject, read
from bot.whatsapp.signature import verify
from bot.whatsapp.statuses import advance
from bot.whatsapp.struck import held_card, strike_out
from flows.kinds import CARD
from flows.reply import Other, Said, SharedNumber, Tap, Wishes

TEXT = {
    "from": "254712345678",
    "from_user_id": "KE.13491208655302741918",
    "id": "wamid.A",
    "timestamp": "1749416383",
    "type": "text",
    "text": {"body": "pay 500"},
}


def envelope(*messages, statuses=(), contacts=()):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "254700000001", "phone_number_id": "106540352242922"},
        "contacts": list(contacts),
        "messages": list(messages),
    }
    if statuses:
        value["statuses"] = list(statuses)
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def read_json(body):
    return read(json.dumps(body).encode())


def heard(**message):
    (event,) = read_json(envelope({**TEXT, **message}))
    return hear(event.body)


def test_a_message_tells_who_sent_it_to_which_number_and_when():
    contact = {"profile": {"name": "Achieng"}, "wa_id": "254712345678"}
    (event,) = read_json(envelope(TEXT, contacts=[contact]))
    assert (event.kind, event.external_id, event.phone_number_id) == ("message", "wamid.A", "106540352242922")
    assert (event.phone, event.user_id, event.name) == ("+254712345678", "KE.13491208655302741918", "Achieng")
    assert event.happened_at.isoformat() == "2025-06-08T20:59:43+00:00"


@pytest.mark.parametrize("timestamp", ["1749416383", 1749416383, "1749416383000", 1749416383000])
def test_a_timestamp_may_be_in_seconds_or_milliseconds(timestamp):
    (event,) = read_json(envelope({**TEXT, "timestamp": timestamp}))
    assert int(event.happened_at.timestamp()) == 1749416383


def test_a_phone_may_be_absent_and_so_may_a_user_id():
    hidden = {key: value for key, value in TEXT.items() if key != "from"}
    old = {key: value for key, value in TEXT.items() if key != "from_user_id"}
    first, second = read_json(envelope(hidden, old))
    assert (first.phone, first.user_id) == (None, "KE.13491208655302741918")
    assert (second.phone, second.user_id) == ("+254712345678", None)


def test_contacts_are_matched_by_id_and_not_by_place():
    other = {**TEXT, "from": "254711111111", "from_user_id": "KE.2", "id": "wamid.B"}
    contacts = [
        {"profile": {"name": "Second"}, "user_id": "KE.2"},
        {"profile": {"name": "First"}, "wa_id": "254712345678"},
    ]
    names = [event.name for event in read_json(envelope(TEXT, other, contacts=contacts))]
    assert names == ["First", "Second"]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Kamau\n\n*Approved*\u2028KES 1", "Kamau *Approved* KES 1"),
        ("\u202eKamau\x00", "\ufffdKamau\ufffd"),
        ("x" * 500, "x" * 60),
        (" \u200b\u3164", None),
        ("", None),
        (5, None),
    ],
)
def test_a_name_is_one_line_that_can_be_read(told, name):
    contact = {"profile": {"name": told}, "wa_id": "254712345678"}
    (event,) = read_json(envelope(TEXT, contacts=[contact]))
    assert event.name == name


def test_every_update_of_a_full_batch_is_read():
    messages = [{**TEXT, "id": f"wamid.{n}"} for n in range(1000)]
    assert [event.external_id for event in read_json(envelope(*messages))] == [m["id"] for m in messages]


BROKEN: list[object] = [None, 7, "x", [], {}, {"id": 5}, {"id": None, "type": "text"}, True, [[]]]


@pytest.mark.parametrize("broken", BROKEN, ids=repr)
def test_one_broken_message_is_kept_and_costs_no_neighbour(broken):
    events = read_json(envelope(TEXT, broken, {**TEXT, "id": "wamid.B"}))
    assert [event.kind for event in events] == ["message", "unknown", "message"]
    assert events[1].external_id.startswith("sha256:")


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SPOTS = ["from", "from_user_id", "timestamp", "type", "text", "context", "interactive", "group_id", "errors"]


@given(st.sampled_from(SPOTS), ANY)
def test_whatever_stands_in_a_field_the_message_and_its_neighbour_are_read(spot, anything):
    events = read_json(envelope({**TEXT, spot: anything}, {**TEXT, "id": "wamid.B"}))
    assert [event.external_id for event in events] == ["wamid.A", "wamid.B"]
    hear(events[0].body)


@given(st.sampled_from(["entry", "changes", "value", "metadata", "contacts", "statuses"]), ANY)
def test_whatever_stands_around_the_messages_nothing_raises(spot, anything):
    body = copy.deepcopy(envelope(TEXT))
    entry = body["entry"][0]
    change = entry["changes"][0]
    place = {"entry": body, "changes": entry, "value": change}.get(spot, change["value"])
    place[spot] = anything
    for event in read_json(body):
        assert event.kind


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b'"x"', b"1", b"{" + b'"a":[' * 100 + b"]" * 100 + b"}", b"[" * 100_000, b"\xff\xfe"],
    ids=["empty", "words", "list", "string", "number", "deep", "very deep", "no text"],
)
def test_what_is_no_json_object_is_said_to_be_none(body):
    with pytest.raises(NotAnObject):
        read(body)


def test_brackets_inside_words_are_not_depth():
    (event,) = read_json(envelope({**TEXT, "text": {"body": "[" * 200 + '"\\'}}))
    assert hear(event.body) == Said("[" * 200 + '"\\')


def test_nul_and_lone_surrogates_are_kept_as_they_came_and_heard_as_signs_of_them():
    raw = json.dumps(envelope({**TEXT, "text": {"body": "a\x00b\ud800"}})).encode()
    (event,) = read(raw)
    assert event.body.isascii()
    assert json.loads(event.body)["message"]["text"]["body"] == "a\x00b\ud800"
    assert hear(event.body) == Said("a�b�")


def test_statuses_of_messages_and_of_payments_are_told_apart():
    sent = {"id": "wamid.S", "status": "sent", "recipient_id": "254712345678", "timestamp": "1"}
    paid = {"id": "wamid.P", "type": "payment", "status": "captured", "from": "254712345678"}
    events = read_json(envelope(statuses=[sent, paid]))
    assert [(event.kind, event.status) for event in events] == [
        ("status", "sent"),
        ("payment_status", "captured"),
    ]


def test_cards_and_codes_are_struck_out_before_anything_is_stored():
    (event,) = read_json(envelope({**TEXT, "text": {"body": "4111 1111 1111 1111 cvv 123"}}))
    assert json.loads(event.body)["message"]["text"]["body"] == "[card ****1111] cvv [code]"
    assert hear(event.body) == Other(CARD)
    assert b"4111" not in event.body


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_who_writes_a_card_below_a_picture_is_told_of_it_too(kind):
    message = {"type": kind, kind: {"id": "1", "caption": "my card 4111 1111 1111 1111 12/27 123"}}
    (event,) = read_json(envelope({**TEXT, **message}))
    assert b"4111" not in event.body
    assert hear(event.body) == Other(CARD)


@pytest.mark.parametrize("number", ["4111111111111111", "4111 1111 1111 1111", "+4111111111111111"])
def test_a_card_that_is_shared_as_somebodys_number_is_struck_out(number):
    shared = {"type": "contacts", "contacts": [{"phones": [{"phone": number}]}]}
    (event,) = read_json(envelope({**TEXT, **shared}))
    assert b"4111" not in event.body
    assert hear(event.body) == Other(CARD)


def test_a_number_that_can_be_dialled_is_no_card():
    shared = {"type": "contacts", "contacts": [{"phones": [{"phone": "+49 1512 3456788"}]}]}
    assert heard(**shared) == SharedNumber("+49 1512 3456788", own=False)


CONFIRMED = (
    "UKO7RT61SV Confirmed. Ksh500.00 sent to JOHN DOE 0712345678 on 24/11/26 at 12:01 PM. New M-PESA balance "
    "is Ksh1,234.50. Transaction cost, Ksh7.00. Amount you can transact within the day is 499,500.00."
)


@pytest.mark.parametrize(
    "text",
    [
        CONFIRMED,
        "500 0712345678\n1,200 0722000111\n4,500.50 254733000111",
        "254712345678 4500",
        "4500 254712345678",
        "+254 712 345 678, 4500",
        "24/11/2026 - 30/11/2026",
        "2026-11-24 12:01:23.123456+03:00",
        "1500, 2500, 3500, 4500",
        "01100998870001234",
        "till 600100, paybill 247247 account 0110099887000",
        "orders 1001 1002 1003 1004",
        "10.8.0.1 10.8.0.2 10.8.0.3",
        "01a2b3c4-4123-7123-8123-412345678901",
        "4111 1111 1111 1112",
        "4111111111111112 12/27 123",
        "0000 0000 0000 0000",
        "\u00b2" * 16,
        "+254712345678",
        "0712345678",
        "pay 4500",
        "withdraw 100000",
        "NLJ7RT61SV",
        "order 123456",
        "KES 1,250.50",
    ],
)
def test_phones_amounts_and_receipts_stay(text):
    assert strike_out(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("4111 1111 1111 1111 12/27 123", "[card ****1111] 12/27 [code]"),
        ("4111111111111111,12/27,123", "[card ****1111],12/27,[code]"),
        ("5555 5555 5555 4444\n09/28\n737", "[card ****4444]\n09/28\n[code]"),
        ("378282246310005 12/2027 1234 Nairobi", "[card ****0005] 12/2027 [code] Nairobi"),
        ("pay 500 4111 1111 1111 1111", "pay 500 [card ****1111]"),
        ("0712345678 4111111111111111", "0712345678 [card ****1111]"),
        ("254712345678,4111111111111111", "254712345678,[card ****1111]"),
        ("4111 1111 1111 1111 5500 0000 0000 0004", "[card ****1111] [card ****0004]"),
        ("4111111111111111 / 5500000000000004", "[card ****1111] / [card ****0004]"),
        ("41111111111111111227123", "[card ****1111]1227123"),
        ("5004111111111111111", "500[card ****1111]"),
        ("visa4111111111111111exp12/27", "visa[card ****1111]exp12/27"),
        ("4000000000000000006", "[card ****0006]"),
        ("6759649826438453", "[card ****8453]"),
        ("9792030000000000", "[card ****0000]"),
        ("30569309025904", "[card ****5904]"),
    ],
)
def test_a_card_is_found_beside_other_numbers(text, kept):
    assert strike_out(text) == kept
    assert strike_out(kept) == kept


CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "2223003122003222"]
GAPS = [
    " ",
    "-",
    ".",
    "    ",
    "  -  ",
    "*",
    ",",
    "|",
    ":",
    " : ",
    "\u200b",
    "\u2011",
    "\u00a0",
    "\ufe0f\u20e3",
]
BESIDE = [
    "12/27",
    "12/27 123",
    "500",
    "1,500.00",
    "0712345678",
    "254712345678",
    "24/11/2026",
    "KES 7",
    "ok",
    "",
]


@given(st.sampled_from(CARDS), st.lists(st.sampled_from(["", " ", "-", ".", "  "]), min_size=18, max_size=18))
def test_a_card_number_is_found_however_it_is_spaced(card, gaps):
    written = "".join(digit + gap for digit, gap in zip(card, gaps, strict=False)).strip()
    assert strike_out(f"my card {written.strip(' -.')} ok") == f"my card [card ****{card[-4:]}] ok"


@given(
    st.sampled_from(CARDS),
    st.sampled_from([(4, 8, 12), (4, 10), (8,), ()]),
    st.sampled_from(GAPS),
    st.sampled_from(["0", "\u0660", "\uff10", "\u0966"]),
    st.sampled_from(BESIDE),
    st.sampled_from(BESIDE),
    st.sampled_from([" ", "\n", ", ", " / "]),
)
def test_a_card_number_is_found_whatever_stands_beside_it(card, cuts, gap, zero, before, behind, between):
    groups = (card[start:end] for start, end in pairwise((0, *cuts, len(card))))
    written = gap.join(groups).translate({ord("0") + n: chr(ord(zero) + n) for n in range(10)})
    told = strike_out(between.join(part for part in (before, written, behind) if part))
    assert held_card(told)
    assert f"[card ****{card[-4:]}]" in told
    left = "".join(str(int(sign)) for sign in told if sign.isdecimal())
    assert len(left) <= len(re.findall(r"\d", before + behind)) + 4


@pytest.mark.parametrize(
    "part", ["4", "4 ", "4,", "4111 ", "4111,", "41-", "4" + " " * 9, "0712345678 ", "4*", "/ "]
)
def test_a_long_text_of_digits_takes_no_long_time(part):
    begun = time.process_time()
    strike_out(part * (64 * 1024 // len(part)))
    assert time.process_time() - begun < 5


def test_taps_words_and_shared_numbers_are_heard():
    tap = Tap("main", "pay.Review", "n0nce", "pay")
    reply = {"type": "interactive", "text": None}
    assert heard(**reply, interactive={"type": "button_reply", "button_reply": {"id": tap.encode()}}) == tap
    assert heard(
        **reply, interactive={"type": "list_reply", "list_reply": {"id": "x", "title": "Pay"}}
    ) == Said("Pay")
    shared = {"phones": [{"wa_id": "254712345678"}], "origin": "contact_request"}
    assert heard(type="contacts", contacts=[shared]) == SharedNumber("+254712345678", own=True)
    assert heard(type="audio", audio={"id": "1"}) == Other("audio")
    assert heard(type="reaction", reaction={"emoji": "👍"}) is None
    assert heard(type="interactive") == Other("interactive")


MEDIA = {"id": "1", "mime_type": "x/y", "sha256": "AAAA", "caption": "pay 500"}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        *((kind, {"type": kind, kind: MEDIA}) for kind in ("image", "video", "audio", "sticker")),
        ("location", {"type": "location", "location": {"latitude": -1.28, "longitude": 36.82}}),
        ("contacts", {"type": "contacts", "contacts": [{"name": {"formatted_name": "Baba"}}]}),
        ("contacts", {"type": "contacts", "contacts": []}),
        ("edit", {"type": "edit", "edit": {"original_message_id": "wamid.A", "message": TEXT}}),
        ("edit", {"type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "edit"}}),
        ("poll", {"type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "poll"}}),
        ("unavailable", {"type": "unsupported", "errors": [{"code": 131060}]}),
        ("unsupported", {"type": "unsupported", "errors": [{"code": 131051}]}),
        ("unsupported", {"type": "unknown", "errors": "?", "unsupported": []}),
        ("forwarded", {"text": {"body": "pay 500"}, "context": {"forwarded": True}}),
        ("forwarded", {"text": {"body": "menu"}, "context": {"frequently_forwarded": True}}),
        ("text", {"text": {"body": 500}}),
        ("text", {"text": None}),
        ("interactive", {"type": "interactive", "interactive": {"type": "payment_method"}}),
        ("interactive", {"type": "interactive", "errors": [{"code": 131051}]}),
        ("button", {"type": "button", "button": {}}),
        ("unknown", {"type": 7}),
        ("never seen", {"type": "never seen"}),
    ],
)
def test_what_is_no_words_of_the_persons_own_is_heard_as_its_kind(kind, message):
    assert heard(**message) == Other(kind)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}},
        {"type": "reaction", "reaction": {"message_id": "wamid.A"}},
        {"type": "revoke", "revoke": {"original_message_id": "wamid.A"}},
        {"type": "unsupported", "unsupported": {"type": "revoke"}},
        {"type": "request_welcome"},
        {"type": "system", "system": {"type": "group_renamed"}},
    ],
)
def test_what_asks_for_nothing_is_answered_by_silence(message):
    assert heard(**message) is None


def test_a_quick_reply_without_its_payload_means_its_words():
    assert heard(type="button", button={"text": "Menu"}) == Said("Menu")


def test_words_about_a_product_are_words():
    product = {"catalog_id": "1", "product_retailer_id": "sugar"}
    context = {"from": "254711000100", "id": "wamid.A", "referred_product": product}
    assert heard(text={"body": "menu"}, context=context) == Said("menu")


def sign(body, secret):
    return "sha256=" + hmac.digest(secret, body, "sha256").hex()


def test_any_of_the_app_secrets_may_have_signed():
    body = b'{"a":"\\u00e4/@"}'
    assert verify(body, sign(body, b"old"), [b"new", b"old"])
    assert not verify(body, sign(body, b"other"), [b"new", b"old"])
    assert not verify(body + b" ", sign(body, b"new"), [b"new"])


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "g" * 64, "0" * 64])
def test_a_missing_or_malformed_signature_is_none(header):
    assert not verify(b"{}", header, [b"new"])


@given(st.lists(st.sampled_from(["sent", "delivered", "read", "played", "failed", "deleted", "warning"])))
def test_a_status_only_ever_moves_forward(words):
    order = ["sending", "sent", "delivered", "read", "played"]
    state = "sending"
    for word in words:
        after = advance(state, word) or state
        if state == "failed":
            assert after == "failed"
        elif after != "failed":
            assert order.index(after) >= order.index(state)
        else:
            assert state in ("sending", "sent")
        state = after


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (r"\ud83d", "�"),
        (r"pay \u0000500", "pay �500"),
        (r"\ude00 500 \ud83d\n", "� 500 �\n"),
        (r"\ud83d\ude00", "😀"),
        (r"a\u202eb\u2066c", "a�b�c"),
        (r"a\r\n\tb\u0085", "a\r\n\tb�"),
    ],
)
def test_what_cannot_be_written_or_shown_is_heard_as_a_sign_of_it(typed, text):
    body = '{"message": {"type": "text", "text": {"body": "%s"}}}' % typed  # noqa: UP031  has braces
    assert hear(body.encode()) == Said(text)
    title = '{"message": {"type": "button", "button": {"payload": "x", "text": "%s"}}}' % typed  # noqa: UP031
    assert hear(title.encode()) == Said(text)


def test_a_shared_number_is_cleaned_too():
    shared = {"phones": [{"phone": "0712\x00345678"}]}
    assert hear(json.dumps({"message": {"type": "contacts", "contacts": [shared]}}).encode()) == SharedNumber(
        "0712�345678", own=False
    )


def test_numbers_keep_all_their_digits():
    message = '{"id":"w1","from":"254712345678","type":"odd","odd":[123456789012345678901234567890,1e20]}'
    value = f'{{"metadata":{{"phone_number_id":"1"}},"messages":[{message}]}}'
    (event,) = read(f'{{"entry":[{{"changes":[{{"field":"messages","value":{value}}}]}}]}}'.encode())
    assert b"[123456789012345678901234567890,1e+20]" in event.body


PREFERENCE = {
    "wa_id": "254712345678",
    "user_id": "KE.13491208655302741918",
    "detail": "User requested to stop marketing messages",
    "category": "marketing_messages",
    "value": "stop",
    "timestamp": 1731705721,
}


def preferences(*each):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "106540352242922"},
        "user_preferences": list(each),
    }
    change = {"value": value, "field": "user_preferences"}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def test_whatsapps_own_switch_is_the_persons_wish():
    stop, resume = read_json(preferences(PREFERENCE, PREFERENCE | {"value": "resume"}))
    assert (stop.kind, stop.phone, stop.user_id) == ("preference", "+254712345678", PREFERENCE["user_id"])
    assert stop.external_id != resume.external_id  # and the same told twice is one
    assert stop.external_id == read_json(preferences(PREFERENCE))[0].external_id
    assert (hear(stop.body), hear(resume.body)) == (Wishes(unasked=False), Wishes(unasked=True))


@pytest.mark.parametrize(
    "odd", [7, {}, PREFERENCE | {"value": "maybe"}, PREFERENCE | {"category": "news"}, {"wa_id": []}]
)
def test_an_odd_preference_is_kept_and_wishes_nothing(odd):
    (event,) = read_json(preferences(odd))
    if event.kind == "preference":
        assert hear(event.body) is None
