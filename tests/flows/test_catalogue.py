"""Every word has its Swahili, and every button fits on a phone in every language."""

import string

import pytest

from flows.lipachat import SCRIPT
from flows.step import Choice
from flows.text import LANGUAGES, Text, catalogue, render
from services.money import Money
from tests.flows.msgids import msgids
from tests.flows.transcript import Play

OTHERS = [language for language in LANGUAGES if language != "en"]
MSGIDS = msgids()
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
        if message.id and message.string
    }
    needed = {msgid for msgid in MSGIDS if says_something(msgid)}
    assert needed - known == set()
    assert known - set(MSGIDS) == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_says_the_same_facts(language):
    for message in catalogue(language):
        if message.id:
            ids = (message.id,) if isinstance(message.id, str) else message.id
            strings = (message.string,) if isinstance(message.string, str) else message.string
            assert strings is not None
            assert len(ids) == len(strings)
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


def test_plurals():
    one = "One withdrawal is waiting for approval. Choose it to see it and decide."
    text = Text(one, MSGIDS[one], count=3)
    assert render(text, "en").startswith("3 withdrawals")
    assert render(text, "sw").startswith("Maombi 3 ya kutoa pesa")


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
