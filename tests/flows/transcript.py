r"""Transcripts: conversations as files, played against the flows and a business in memory.

    # a title
    @ saved Wanjiku 0712345678          what is so before, see scene.py
    > Wanjiku: pay 500                  typed; \u0000 and the like as in JSON
    >> Wanjiku: hi | hello              typed in one go, before the bot says anything
    > Kamau: approve {withdrawal}       typed with the latest one's reference
    > Wanjiku: [Pay]                    tapped, on the latest message that offers it
    > Wanjiku: [[Pay]]                  tapped, on the earliest
    > Wanjiku: (shares 0712345678)      also (voice note) and the like, see KINDS
    > Wanjiku: (forwards pay 500)       also (edits to pay 500)
    > Achieng: (sends pay.csv: to,number,amount / till,123456,500)   a file, with its lines
    > Achieng: (fills bank_code=68, account_number=0123)   a form, the latest; (fills late ...), the earliest
    * settle                            what happens beside the talk, see events/
    < Wanjiku: Pay *KES 500.00* ...     what the bot says, with [Buttons]

`LIPACHAT_WRITE_TRANSCRIPTS=1 pytest tests/flows` writes what the bot says now; read the difference.
"""

import dataclasses
import functools
import itertools
import json
import re
from collections import defaultdict

from bot.whatsapp.heard import hear
from flows.conversation import Conversation
from flows.lipachat import SCRIPT
from flows.reply import Filled, NewIdentity, Reply, SharedNumber, Tap, Wishes
from flows.staff.shown import short
from flows.text import render
from services.people.access import ROLES
from tests.fakes import FakeBusiness, FakeTeller
from tests.flows import scene
from tests.flows.events import payments, payouts, staff, world
from tests.flows.words import before, event

SPOKEN_BY = (scene, payments, payouts, staff, world)  # which tell their words by being imported

CAST = {
    "Wanjiku": ("+254712345678", None),
    "Otieno": (None, None),
    "Achieng": ("+254722000001", "Cashier"),
    "Kamau": ("+254722000002", "Finance Admin"),
    "Njeri": ("+254722000003", "Owner"),
    "Wambui": ("+254722000004", "Support Lead"),
}

_TYPED = b'{"message": {"type": "text", "text": {"body": %s}}}'
KINDS = {
    "voice note": {"type": "audio", "audio": {"id": "1", "mime_type": "audio/ogg", "voice": True}},
    "picture": {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": "pay 500"}},
    "video": {"type": "video", "video": {"id": "1", "mime_type": "video/mp4"}},
    "file": {"type": "document", "document": {"id": "1", "filename": "slip.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"id": "1", "animated": True}},
    "place": {"type": "location", "location": {"latitude": -1.28, "longitude": 36.82}},
    "contact without a number": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Baba"}}]},
    "card number": {"type": "text", "text": {"body": "here: [card ****1111]"}},
    "poll": {"type": "unsupported", "errors": [{"code": 131051}], "unsupported": {"type": "poll"}},
    "lost message": {"type": "unsupported", "errors": [{"code": 131060}]},
    "something new": {"type": "unsupported", "errors": [{"code": 131051}]},
    "broken tap": {"type": "interactive"},
}
_FORWARDED = {"forwarded": True}


class Recorded(Conversation):
    """Remembers which edges of the graph were walked, and which steps were opened by what."""

    walked: set[tuple[str, str]] = set()  # noqa: RUF012  shared by all conversations of a run
    opened: set[tuple[str, str]] = set()  # noqa: RUF012  so is this
    _moved = None

    def _move(self, thread, step, before=None):
        self._moved = step
        super()._move(thread, step, before)

    async def _answer(self, thread, stand, answer):
        self._moved = None
        await super()._answer(thread, stand, answer)
        if self._moved is not None:
            self.walked.add((type(stand.step).__name__, type(self._moved).__name__))


def _watched(opening: str, leads):
    """The same function, which also notes the step that it opens."""

    @functools.wraps(leads)
    async def watching(*args):
        step = await leads(*args)
        if step is not None:
            Recorded.opened.add((opening, type(step).__name__))
        return step

    return watching


WATCHED = dataclasses.replace(
    SCRIPT,
    home=_watched("home", SCRIPT.home),
    lost=_watched("lost", SCRIPT.lost),
    words=tuple(
        dataclasses.replace(word, leads=_watched(word.spellings[0], word.leads)) for word in SCRIPT.words
    ),
    told={news: _watched(news.__name__, tell) for news, tell in SCRIPT.told.items()},
    revive=_watched("late tap", SCRIPT.revive),
    ordered=_watched("order message", SCRIPT.ordered),
    filed=_watched("file", SCRIPT.filed),
)


class Play:
    def __init__(self, conversation=Recorded):
        self.business = FakeBusiness()
        for name, (phone, role) in CAST.items():
            self.business.person(name, phone, *(ROLES[role] if role else ()))
        self.places = {}
        self.said: dict[str, list[Reply]] = defaultdict(list)
        self.lines: list[str] = []
        self._conversation = conversation
        self._nonces = (f"n{n}" for n in itertools.count())

    async def run(self, source: str) -> str:
        for line in source.splitlines():
            if line[:2] in ("< ", "  "):
                continue
            self.lines.append(line)
            match line[:2]:
                case "@ ":
                    word, *facts = line[2:].split()
                    before[word](self.business, *facts)
                case "* ":
                    await self._happens(*line[2:].split())
                    await self._tell()
                case ">>":
                    name, _, words = line[3:].partition(": ")
                    await self.burst(name, [self._heard(name, each) for each in words.split(" | ")])
                    await self._tell()
                case "> ":
                    name, _, words = line[2:].partition(": ")
                    await self.hear(name, self._heard(name, words))
                    await self._tell()
        return "\n".join(self.lines) + "\n"

    async def _happens(self, word, *facts):
        match word, facts:
            case "identity_changed", (name,):
                await self.hear(name, NewIdentity())
            case "wishes", (name, unasked):  # by WhatsApp's own switch
                await self.hear(name, Wishes(unasked=unasked == "resume"))
            case "release", (name,):  # a release that no longer knows where the person stands
                self.places[name] = re.sub(rb'"step":"\w+"', b'"step":"Gone"', self.places[name])
            case _:
                event[word](self.business, *facts)

    def _heard(self, name, words):
        if shared := re.fullmatch(r"\(shares (.+)\)", words):
            return SharedNumber(shared[1], own=True)
        if filled := re.fullmatch(r"\(fills (late |blindly )?(.+)\)", words):
            return self.fill(name, filled[1], dict(each.split("=") for each in filled[2].split(", ")))
        if sent := re.fullmatch(r"\(sends (\S+): (.*)\)", words):
            document = {"id": sent[2], "filename": sent[1]}
            return hear(json.dumps({"message": {"type": "document", "document": document}}).encode())
        if words.startswith("("):
            return hear(json.dumps({"message": _other(words[1:-1])}).encode())
        if "{refund}" in words:
            words = words.replace("{refund}", short(next(reversed(self.business.refunds))))
        if tapped := re.fullmatch(r"(\[?)\[([^\]]+)\]\]?", words):
            return self.tap(name, tapped[2], earliest=bool(tapped[1]))
        if "{withdrawal}" in words:  # the reference of the latest one
            words = words.replace("{withdrawal}", short(next(reversed(self.business.withdrawals))))
        return hear(_TYPED % json.dumps(words).replace(r"\\u", r"\u").encode())

    def fill(self, name, how, values):
        """`blindly`: WhatsApp does not say which form it was."""
        offered = [reply for reply in self.said[name] if reply.form]
        reply = offered[0 if how == "late " else -1]
        asking = None if how == "blindly " else Tap(reply.thread, reply.step, reply.nonce, "")
        return Filled(values, asking=asking)

    def tap(self, name, label, *, earliest=False) -> Tap:
        language = self.business.people[name].language
        offered = self.said[name] if earliest else reversed(self.said[name])
        for reply in offered:
            for option in reply.options:
                if self.means(label, render(option.label, language)):
                    return reply.tap(option)
        raise LookupError(f"nobody offered {name} [{label}]")

    @staticmethod
    def means(label, words):
        """`label` may leave out the end of the words of a button."""
        return words == label or (label.endswith("…") and words.startswith(label[:-1]))

    async def hear(self, name, heard):
        return self._say(name, await self._turn(name, heard))

    async def burst(self, name, heards):
        """One turn after the other; what a later one says as well is not said before."""
        replies: list[Reply] = []
        for n, heard in enumerate(heards, start=1):
            later = await self._turn(name, heard, followed=n < len(heards))
            replies = [each for each in replies if not any(each.is_said_by(one) for one in later)] + later
        return self._say(name, replies)

    async def _turn(self, name, heard, *, followed=False):
        teller = FakeTeller(self.business, name)
        mint = functools.partial(next, self._nonces)
        conversation = self._conversation(WATCHED, self.places.get(name), teller, mint, followed=followed)
        replies = await conversation.hear(heard)
        self.places[name] = conversation.place
        return replies

    def _say(self, name, replies):
        for reply in replies:
            self.said[name].append(reply)
            self.lines.extend(self._written(name, reply))
        return replies

    async def _tell(self):
        names = {me.person_id: name for name, me in self.business.people.items()}
        while self.business.told:
            person, news = self.business.told.pop(0)
            await self.hear(names[person], news)

    def _written(self, name, reply):
        language = self.business.people[name].language
        first, *rest = render(reply.text, language).splitlines()
        yield f"< {name}: {first}"
        yield from (f"  {line}" for line in rest)
        buttons = [f"[{render(option.label, language)}]" for option in reply.options]
        if reply.document:
            yield f"  (file: {render(reply.document.name, language)})"
        if reply.form:
            buttons = [f"(form: {render(reply.form.label, language)})"]
        if reply.asks_for_number:  # beside which WhatsApp shows nothing else
            buttons = ["(share number)"]
        if reply.link and reply.options:  # beside which it shows nothing else either
            buttons = [f"({render(reply.link.label, language)}: {reply.link.url})"]
        if buttons:
            yield "  " + " ".join(buttons)


def _other(what):
    if what.startswith("forwards "):
        text = {"body": what.removeprefix("forwards ")}
        return {"type": "text", "text": text, "context": _FORWARDED}
    if what.startswith("edits to "):
        text = {"type": "text", "text": {"body": what.removeprefix("edits to ")}}
        return {"type": "edit", "edit": {"original_message_id": "wamid.A", "message": text}}
    if what.startswith("orders "):
        return {"type": "order", "order": _catalogue_order(what.removeprefix("orders "))}
    return KINDS[what]


def _catalogue_order(items):
    """Of "2 SOAP at 150, 1 TEA at 20: a note"."""
    items, _, note = items.partition(": ")
    parsed = re.findall(r"(\S+) (\w+) at ([\d.]+)", items)
    listed = [
        {"product_retailer_id": sku, "quantity": json.loads(quantity), "item_price": float(price)}
        for quantity, sku, price in parsed
    ]
    return {"catalog_id": "1", "text": note, "product_items": listed}
