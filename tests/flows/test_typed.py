"""What typed words mean: never more than the person can have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.lipachat import SCRIPT, WORDS
from flows.reply import Other, Said
from flows.staff.change_typed import fee_bands, limit_typed
from flows.step import understood
from flows.text import LANGUAGES, Text, render
from flows.understanding import close, plain, slips
from tests.flows.test_catalogue import every_choice
from tests.flows.transcript import Play

ASKED = "@ destination 0700123456 configured\n> Achieng: withdraw 100\n> Achieng: [Withdraw]\n"


async def rejecting():
    play = Play()
    await play.run(ASKED + "> Kamau: [Reject]\n")
    return play


def status(play):
    [withdrawal] = play.business.withdrawals.values()
    return withdrawal.status


@pytest.mark.parametrize("word", ["cancel", "Ghairi", "cancle", "menu", "balance", "help", "mneu"])
async def test_a_word_that_leaves_the_question_for_a_reason_leaves_it_for_good(word):
    play = await rejecting()
    await play.hear("Kamau", Said(word))
    await play.hear("Kamau", Said("hello there"))
    assert status(play) == "pending"


@pytest.mark.parametrize(
    "reason", ["pay supplier first", "withdraw less", "no", "pay 500", "Approve the other"]
)
async def test_any_words_are_a_reason(reason):
    play = await rejecting()
    await play.hear("Kamau", Said(reason))
    assert status(play) == "rejected"


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u200b", "\u3164\ufe0f", " \u2800"], ids=ascii)
async def test_a_blank_reason_is_asked_for_again_and_the_next_words_count(blank):
    play = await rejecting()
    [reply] = await play.hear("Kamau", Said(blank))
    assert render(reply.text, "en").startswith("I can't read a reason there.")
    assert [render(option.label, "en") for option in reply.options] == ["Cancel"]
    assert status(play) == "pending"
    await play.hear("Kamau", Said("not today"))
    assert status(play) == "rejected"


async def test_a_reason_may_follow_news_and_a_voice_note():
    play = await rejecting()
    await play.hear("Kamau", Other("audio"))
    await play.run("> Njeri: withdraw 200\n> Njeri: [Withdraw]\n")
    await play.hear("Kamau", Said("not today"))
    assert [each.status for each in play.business.withdrawals.values()] == ["rejected", "pending"]


async def test_an_approval_typed_in_place_of_a_reason_does_not_reject():
    play = await rejecting()
    [withdrawal] = play.business.withdrawals.values()
    await play.hear("Kamau", Said(f"approve {withdrawal.id.hex[-6:]}"))
    assert status(play) == "pending"


async def test_cancel_leaves_the_question_that_was_asked_last_and_not_the_payment_before_it():
    play = Play()
    await play.run("> Otieno: pay 20\n> Otieno: 0712 111 222\n> Otieno: [Pay]\n> Otieno: pay 30\n")
    await play.hear("Otieno", Said("cancel"))
    assert play.business.latest().state == "pending"


ASKING = [step for step in SCRIPT.steps.values() if Said in understood(step) and not step.takes_over]


@pytest.mark.parametrize("step", ASKING)
def test_whatever_asks_for_text_offers_to_cancel(step):
    labels = [
        kind.__dict__["label"] for kind in understood(step) if isinstance(kind.__dict__.get("label"), Text)
    ]
    assert Text("Cancel") in labels


@pytest.mark.parametrize("typed", ["aprovals", "withdrow", "idhin", "aproval", "withdrawl"])
async def test_a_slip_never_counts_for_money_or_approvals(typed):
    play = Play()
    await play.hear("Kamau", Said("menu"))
    [reply] = await play.hear("Kamau", Said(typed))
    assert render(reply.text, "en").startswith("Sorry")


@pytest.mark.parametrize(
    ("typed", "word"), [("hlep", "help"), ("mneu", "menu"), ("cancle", "cancel"), ("recipt", "receipt")]
)
async def test_two_letters_that_changed_places_are_understood(typed, word):
    right, slipped = Play(), Play()
    await right.run(f"> Wanjiku: {word}\n")
    await slipped.run(f"> Wanjiku: {typed}\n")
    assert slipped.lines[1:] == right.lines[1:]


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def every_name() -> tuple[dict[str, str], dict[str, str | None]]:
    """Every label and every word with what it means; and the same, without what forgives no slip."""
    means: dict[str, str] = {}
    forgiving: dict[str, str | None] = dict.fromkeys(SCRIPT.later)
    for kind in every_choice():
        if isinstance(label := kind.__dict__.get("label"), Text):
            names = {plain(render(label, language)): label.msgid for language in LANGUAGES}
            means |= names
            exact = kind.exact or kind.tap_only
            forgiving |= dict.fromkeys(names) if exact else names
    for word in WORDS:
        meant = next(
            (means[each] for each in map(plain, word.every_spelling) if each in means), word.spellings[0]
        )
        means |= {each: means.get(each, meant) for each in map(plain, word.every_spelling)}
        forgiving |= {each: None if word.exact else means[each] for each in map(plain, word.every_spelling)}
    return means, forgiving


MEANS, FORGIVING = every_name()


def mistyped(name: str) -> set[str]:
    """Every way to type it with one letter too few, too many, wrong, or two that changed places."""
    cuts = [(name[:n], name[n:]) for n in range(len(name) + 1)]
    fewer = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    wrong = {a + c + b[1:] for a, b in cuts if b for c in LETTERS}
    more = {a + c + b for a, b in cuts for c in LETTERS}
    return fewer | swapped | wrong | more


@pytest.mark.parametrize("name", sorted(MEANS))
def test_no_two_names_are_ever_confused(name):
    near = {other: meant for other, meant in FORGIVING.items() if slips(name, other) <= 4}
    for typed in {name} | mistyped(name) - set(MEANS):
        assert close(typed, near) in (MEANS[name], None, MEANS["menu"]), (
            typed
        )  # where who is lost ends up anyway


@pytest.mark.parametrize("later", sorted(SCRIPT.later))
def test_a_word_that_means_nothing_yet_is_taken_for_no_other(later):
    assert close(later, FORGIVING) is None


@given(st.text(alphabet=LETTERS, min_size=4, max_size=12), st.data())
def test_one_slip_is_forgiven_and_a_figure_forgives_none(name, data):
    typed = data.draw(st.sampled_from(sorted(mistyped(name))))
    assert close(typed, {name: 1}) == (1 if len(typed) > 3 else None)
    assert close(typed + "7", {name + "7": 1}) is None


def test_names_that_are_as_near_as_each_other_are_not_guessed():
    assert close("cast", {"cart": 1, "cash": 2}) is None
    assert close("cast", {"cart": 1, "cash": 1}) == 1


@pytest.mark.parametrize("typed", ["above", "zaidi ya", "au-dessus de", "au dessus de", "plus de", ">"])
def test_steps_of_approvals_are_typed_in_every_language(typed):
    assert limit_typed("approvals_above", f"2 {typed} 50000; 3 {typed.upper()} 1000000", "KES") == [
        {"amount": "50000.00", "approvals": 2},
        {"amount": "1000000.00", "approvals": 3},
    ]


@pytest.mark.parametrize(
    "typed", ["up to", "hadi", "jusqu'à", "jusqu\N{RIGHT SINGLE QUOTATION MARK}à", "jusqu a"]
)
def test_fees_by_amounts_are_typed_in_every_language(typed):
    assert fee_bands(f"20 {typed} 1000; 50", "KES") == fee_bands("20 up to 1000; 50", "KES")


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_what_is_shown_as_an_example_is_understood(language):
    steps = render(Text("Type it like: 2 above 50000; 3 above 1000000."), language)
    assert len(limit_typed("approvals_above", steps.partition(":")[2].strip(" ."), "KES")) == 2
    fees = render(Text("Type a fee like 40, 1.5% or 40 + 1%; by amounts like: 20 up to 1000; 50."), language)
    assert len(fee_bands(fees.partition(":")[2].strip(" ."), "KES")) == 2
