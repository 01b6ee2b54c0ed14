"""The engine: what belongs to nobody's conversation in particular."""

import inspect
from dataclasses import dataclass, fields

import pytest

from flows.amounts import amount_of
from flows.conversation import Conversation
from flows.customer.menu import Help
from flows.lipachat import SCRIPT
from flows.refusals import worded
from flows.reply import Said, Tap
from flows.script import Script
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text, render
from flows.understanding import close, place_of, plain
from services import errors
from services.errors import InvalidAmount, Refusal
from services.errors import handoff as handoff_errors
from services.money import Money
from tests.fakes import FakeTeller
from tests.flows.transcript import Play

KES = Money(5_00, "KES")


@dataclass(frozen=True)
class Take(Choice):
    n: int

    @property
    def label(self) -> Text:
        return Text("Thing {n}", n=self.n)


class Many(Step):
    taken: int | None = None

    def says(self) -> Text:
        return Text("Which? {taken}", taken=self.taken)

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Take(n) for n in range(1, 24))

    async def hears(self, answer: Take, teller: Teller) -> "Many":
        return Many(taken=answer.n)


async def many(_teller: Teller, _rest: str = "") -> Many:
    return Many()


async def nothing(_thread: str, _teller: Teller) -> Many | None:
    return None


async def lost(teller: Teller, _words: tuple[str, ...]) -> Many:
    return await many(teller)


LONG = Script(home=many, lost=lost, words=(), told={}, revive=nothing)


class Talk:
    def __init__(self, script=LONG):
        self.play, self.script, self.place, self.count = Play(), script, None, 0

    def mint(self):
        self.count += 1
        return f"n{self.count}"

    async def hear(self, heard):
        conversation = Conversation(
            self.script, self.place, FakeTeller(self.play.business, "Wanjiku"), self.mint
        )
        replies = await conversation.hear(heard)
        self.place = conversation.place
        return replies


def labels(reply):
    return [render(option.label, "en") for option in reply.options]


async def test_more_than_ten_choices_come_in_pages_that_go_round():
    talk = Talk()
    [page] = await talk.hear(Said("hi"))
    assert labels(page) == [f"Thing {n}" for n in range(1, 10)] + ["More…"]
    [page] = await talk.hear(page.tap(page.options[-1]))
    assert labels(page) == [f"Thing {n}" for n in range(10, 19)] + ["More…"]
    [page] = await talk.hear(page.tap(page.options[-1]))
    assert labels(page) == [f"Thing {n}" for n in range(19, 24)] + ["More…"]
    [page] = await talk.hear(page.tap(page.options[-1]))
    assert labels(page)[0] == "Thing 1"


async def test_a_number_means_what_is_shown_on_the_page():
    talk = Talk()
    [page] = await talk.hear(Said("hi"))
    [page] = await talk.hear(page.tap(page.options[-1]))
    [reply] = await talk.hear(Said("2"))
    assert render(reply.text, "en") == "Which? 11"


async def test_a_label_means_its_choice_on_any_page():
    talk = Talk()
    await talk.hear(Said("hi"))
    [reply] = await talk.hear(Said("thing 22"))
    assert render(reply.text, "en") == "Which? 22"


@pytest.mark.parametrize(
    "tap",
    [
        Tap("main", "ReviewOrder", "0" * 16, "Pay.0"),
        Tap("w00000000000000000000000000000000", "Decide", "n1", "Approve.0"),
        Tap("wnonsense", "Decide", "n1", "Approve.0"),
        Tap("p1", "Nothing", "", ""),
    ],
)
async def test_a_button_that_is_not_this_persons_does_nothing(tap):
    play = Play()
    await play.hear("Wanjiku", Said("pay 500"))
    [reply] = await play.hear("Wanjiku", tap)
    assert "That button" in render(reply.text, "en")
    assert not play.business.payments


async def test_another_persons_tap_does_not_pay_for_them():
    play = Play()
    await play.hear("Wanjiku", Said("pay 500"))
    stolen = play.tap("Wanjiku", "Pay")
    await play.hear("Achieng", stolen)
    assert not play.business.payments


async def test_a_tap_played_twice_pays_once():
    play = Play()
    await play.hear("Wanjiku", Said("pay 500"))
    tap = play.tap("Wanjiku", "Pay")
    await play.hear("Wanjiku", tap)
    await play.hear("Wanjiku", tap)
    assert len(play.business.payments) == 1


async def test_an_approval_typed_with_its_reference_counts():
    play = Play()
    source = "@ destination 0700123456 configured\n> Achieng: withdraw 100\n> Achieng: [Withdraw]\n"
    await play.run(source)
    [withdrawal] = play.business.withdrawals.values()
    await play.hear("Kamau", Said(f"approve {withdrawal.id.hex[-6:]}"))
    [withdrawal] = play.business.withdrawals.values()
    assert withdrawal.status == "processing"


@pytest.mark.parametrize("text", ["approve", "aprove", "approve 000000", "1", "yes"])
async def test_an_approval_typed_without_it_does_not(text):
    play = Play()
    source = "@ destination 0700123456 configured\n> Achieng: withdraw 100\n> Achieng: [Withdraw]\n"
    await play.run(source)
    await play.hear("Kamau", Said(text))
    [withdrawal] = play.business.withdrawals.values()
    assert withdrawal.status == "pending"


async def test_who_waits_for_the_provider_sees_that_we_are_at_it():
    play = Play()
    asked = await play.hear("Wanjiku", Said("pay 500"))
    told = await play.hear("Wanjiku", play.tap("Wanjiku", "Pay"))
    checked = await play.hear("Wanjiku", play.tap("Wanjiku", "I have paid"))
    play.business.keep_open()
    open_still = await play.hear("Wanjiku", play.business.told.pop()[1])
    assert [each[-1].waits for each in (asked, told, checked, open_still)] == [False, True, True, False]


async def test_who_approves_sees_it_until_the_payout_is_told_and_who_asks_people_does_not():
    play = Play()
    await play.run("@ destination 0700123456 configured\n> Achieng: withdraw 100\n")
    requested = await play.hear("Achieng", play.tap("Achieng", "Withdraw"))
    await play._tell()
    approved = await play.hear("Kamau", play.tap("Kamau", "Approve"))
    assert [each[-1].waits for each in (requested, approved)] == [False, True]


def test_every_refusal_has_words():
    members = [each for module in (errors, handoff_errors) for each in inspect.getmembers(module)]
    kinds = [kind for _, kind in members if inspect.isclass(kind) and issubclass(kind, Refusal)]
    assert len(kinds) > 15
    for kind in kinds:
        if kind is Refusal:
            continue
        facts = {field.name: fact_of(field.type) for field in fields(kind)}  # type: ignore[arg-type]
        words = (
            render(worded(kind(**facts)), "en") if "shop" not in str(worded(kind(**facts)).msgid) else "shop."
        )
        assert words.endswith((".", "?")), kind


def test_who_comes_after_the_expiry_is_told_that_the_money_is_available():
    words = render(worded(errors.NotPending("expired")), "en")
    assert words == "This withdrawal was not decided in time. The amount is available again."


def test_a_fee_above_the_amount_is_not_said_as_a_negative_amount():
    refusal = errors.BelowMinimum(minimum=KES, amount=-KES, net=True)
    assert "-" not in render(worded(refusal), "en")


@pytest.mark.parametrize("typed", ["pay $500", "pay 5%", "pay €500"])
async def test_a_sign_that_makes_it_another_amount_is_not_overheard(typed):
    (reply,) = await Play().hear("Wanjiku", Said(typed))
    given = typed.removeprefix("pay ")
    assert render(reply.text, "en").startswith(f"“{given}” is not an amount.")


@pytest.mark.parametrize(
    "typed", ["pay 500!", "*pay* 500", "pay: 500", "pay 500 🙏", "Pay (500)", "lipa ５００"]
)
async def test_a_sign_around_it_changes_nothing(typed):
    (reply,) = await Play().hear("Wanjiku", Said(typed))
    assert "*KES 500.00*" in render(reply.text, "en")


def fact_of(kind):
    return {Money: KES, "Money": KES, bool: False}.get(kind, "pending" if kind is str else None)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("500", 500_00),
        ("1,250.50", 1_250_50),
        ("KES 500", 500_00),
        ("Ksh500", 500_00),
        ("Kshs. 1,500/=", 1_500_00),
        ("shs 500", 500_00),
        ("500 kshs", 500_00),
        ("500/=", 500_00),
        (" 7 ", 7_00),
    ],
)
def test_amounts_as_people_type_them(text, minor):
    assert amount_of(text, "KES") == Money(minor, "KES")


@pytest.mark.parametrize(
    "text",
    ["0", "-5", "1e9", "five", "10.999", "1,25", "5 0", "٥", "", "+5", "1_000", "NaN", "0x10", "$500", "5%"],
)
def test_what_is_no_amount(text):
    with pytest.raises(InvalidAmount):
        amount_of(text, "KES")


@pytest.mark.parametrize(
    ("text", "too_low"),
    [
        *(
            (text, True)
            for text in ("0", "0.00", "KES 0", "-5", "- 5", "-1,000.50", "KES -5", "0,000", "000")
        ),
        *((text, False) for text in ("five", "10.999", "-", "--5", "-five", "5-", "0x10", "٠", "")),
    ],
)
def test_what_is_zero_or_below_is_told_apart_from_what_is_no_number(text, too_low):
    with pytest.raises(InvalidAmount) as refused:
        amount_of(text, "KES")
    assert refused.value.too_low is too_low


def test_close_spellings():
    words = {"language": 1, "menu": 2, "history": 3, "pay": 4}
    assert close("langauge", words) == 1
    assert close("Menuu!", words) == 2
    assert close("histroy", words) == 3
    assert close("pai", words) is None
    assert close("something else", words) is None


def test_typed_places():
    assert [place_of(text) for text in ("2", "2.", "(2)", "02", "200", "two", "-2", "²")] == [
        2, 2, 2, 2, None, None, None, None,
    ]  # fmt: skip
    assert plain("  *MENU*  👍 ") == "menu"


async def test_any_text_gets_an_answer_and_moves_no_money():
    hypothesis = pytest.importorskip("hypothesis")
    from hypothesis import strategies as st

    @hypothesis.settings(max_examples=150, deadline=None, derandomize=True)
    @hypothesis.given(st.lists(st.text(max_size=40), max_size=6))
    def talked(texts):
        import asyncio

        async def run():
            play = Play()
            for text in texts:
                assert await play.hear("Wanjiku", Said(text))
                assert await play.hear("Kamau", Said(text))
            assert not play.business.payments
            assert not play.business.withdrawals

        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(run())
        finally:
            loop.close()

    import asyncio

    await asyncio.to_thread(talked)


def test_the_script_names_each_step_once():
    assert len(SCRIPT.steps) == len({step.__qualname__ for step in SCRIPT.steps.values()})


@pytest.mark.parametrize(("language", "spelling"), [("en", 0), ("sw", 1)])
def test_help_names_every_word_of_the_staff(language, spelling):
    told = render(Text(Help(staff=True).says().msgid, customers=""), language)
    typed_with_a_reference = {"approve", "idhinisha", "reject", "kataa"}
    words = {word.spellings[spelling] for word in SCRIPT.words if word.scopes} - typed_with_a_reference
    assert [word for word in sorted(words) if f"*{word}" not in told] == []
