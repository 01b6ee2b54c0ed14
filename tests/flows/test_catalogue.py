"""Every catalogue has all that it declares, and every button fits on a phone in every language."""

import re
import string
from datetime import UTC, datetime

import pytest

from flows.lipachat import SCRIPT, WORDS
from flows.step import Choice
from flows.text import LANGUAGES, Text, catalogue, render
from flows.understanding import plain
from services.money import Money
from tests.flows.languages import COMPLETE, OTHERS, covers
from tests.flows.msgids import msgids, of_customers
from tests.flows.transcript import Play

MSGIDS = msgids()
NEEDED = {"all": MSGIDS, "customers": msgids(of_customers())}
_BUTTON = 20


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def says_something(msgid):
    return any(literal.strip() for literal, *_ in string.Formatter().parse(msgid))


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_is_complete_and_holds_nothing_else(language):
    known = {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue(language)
        if message.id and message.string and not message.context
    }
    needed = {msgid for msgid in NEEDED[covers(language)] if says_something(msgid)}
    assert needed - known == set()
    assert known - set(MSGIDS) == set()
    plural = {message.id for message in catalogue(language) if isinstance(message.id, tuple)}
    assert plural <= set(MSGIDS.items()), "a plural that is no longer in the code"
    assert {msgid for msgid in known if MSGIDS[msgid]} == {one for one, _ in plural}


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_says_the_same_facts(language):
    for message in catalogue(language):
        if message.id and not message.context:
            ids = (message.id,) if isinstance(message.id, str) else message.id
            strings = (message.string,) if isinstance(message.string, str) else message.string
            assert strings is not None
            assert len(strings) == (1 if len(ids) == 1 else catalogue(language).num_plurals)
            for words in strings:
                assert set(fields(words)) <= {name for each in ids for name in fields(each)} | {"shop"}
            assert fields(strings[-1]) == fields(ids[-1])


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_labels_of_buttons_fit(language):
    labels = [
        choice.__dict__["label"]
        for choice in every_choice()
        if isinstance(choice.__dict__.get("label"), Text)
    ]
    labels += [label for step in SCRIPT.steps.values() if (label := step.model_construct().menu())]
    assert len(labels) > 20
    for label in labels:
        assert len(render(label, language)) <= _BUTTON, render(label, language)


def every_choice():
    waiting = [Choice]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        yield kind


def test_money_and_dates_are_written_as_the_language_writes_them():
    assert render(Text("{m}", m=Money(1_234_50, "KES")), "en") == "KES 1,234.50"
    assert render(Text("{m}", m=Money(1_234_50, "KES")), "sw") == "KES 1,234.50"
    assert render(Text("{m}", m=Money(500, "UGX")), "en") == "UGX 500"
    assert render(Text("{m}", m=Money(1_234_50, "KES")), "fr") == "1\u202f234,50\xa0KES"
    assert render(Text("{m}", m=Money(1500, "UGX")), "fr") == "1\u202f500\xa0UGX"
    at = Text("{at}", at=datetime(2026, 2, 1, 9, 5, tzinfo=UTC))
    assert [render(at, each) for each in ("en", "fr", "sw")] == [
        "1 Feb 2026, 12:05",
        "1 févr. 2026, 12:05",
        "1 Feb 2026, 12:05",
    ]


def test_plurals():
    one = "One withdrawal is waiting for approval. Choose it to see it and decide."
    text = Text(one, MSGIDS[one], count=3)
    assert render(text, "en").startswith("3 withdrawals")
    assert render(text, "sw").startswith("Maombi 3 ya kutoa pesa")


def test_each_language_counts_by_its_own_rule():
    one = "You have saved one way to pay {shop}."
    forms = {
        language: [render(Text(one, MSGIDS[one], count=n, shop="Duka"), language) for n in (0, 1, 2)]
        for language in ("en", "fr")
    }
    assert forms["en"][0].startswith("You have saved 0 ways")
    assert forms["fr"][0] == forms["fr"][1]
    assert forms["fr"][2].startswith("Vous avez enregistré 2 moyens")


def test_what_is_not_translated_is_said_in_english():
    unknown = Text("Nobody has translated this for {shop}.", shop="Duka")
    assert {render(unknown, each) for each in LANGUAGES} == {"Nobody has translated this for Duka."}


def test_what_the_staff_are_told_is_in_every_language_of_ours():
    """A language that is added may begin with customers."""
    assert {"fr", "sw"} <= set(COMPLETE)


@pytest.mark.parametrize("language", OTHERS)
def test_words_of_a_catalogue_belong_to_words_that_there_are(language):
    there_are = {word.spellings[0] for word in WORDS}
    assert {message.id for message in catalogue(language) if message.context == "word"} <= there_are


def test_a_spelling_means_one_word():
    spelled = [plain(each) for word in WORDS for each in word.every_spelling]
    assert len(spelled) == len(set(spelled))


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("msgid", [msgid for msgid in MSGIDS if re.search(r"\*[a-z]", msgid)])
def test_words_that_the_bot_tells_people_to_type_are_understood(language, msgid):
    understood = {plain(each) for word in WORDS for each in word.every_spelling}
    said = render(Text(msgid, **dict.fromkeys(fields(msgid), "")), language)
    assert {plain(word) for word in re.findall(r"\*([^\W\d_]+)(?: \d+)?\*", said)} <= understood


async def test_a_whole_payment_in_swahili_has_no_english_left():
    play = Play()
    source = (
        "@ speaks Wanjiku sw\n> Wanjiku: habari\n> Wanjiku: lipa 500\n> Wanjiku: [Lipa]\n* fail wrong_pin\n"
        "> Wanjiku: [Jaribu tena]\n* settle\n> Wanjiku: [Ihifadhi]\n> Wanjiku: msaada\n> Wanjiku: ghairi\n"
    )
    said = [line for line in (await play.run(source)).splitlines() if line[:2] in ("< ", "  ")]
    english = {"the", "you", "your", "order", "paid", "receipt", "type", "wrong", "next", "time"}
    words = {word.strip(".,:*?!✅[]").lower() for line in said for word in line.split()}
    assert not words & english
    assert "Umelipa KES 500.00 kwa Mama Njeri" in " ".join(said)
