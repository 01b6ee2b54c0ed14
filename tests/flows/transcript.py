r"""Transcripts: conversations as files, played against the flows and a business in memory.

    # a title
    @ saved Wanjiku 0712345678          what is so before
    > Wanjiku: pay 500                  typed; \u0000 and the like as in JSON
    >> Wanjiku: hi | hello              typed in one go, before the bot says anything
    > Kamau: approve {withdrawal}       typed with the latest one's reference
    > Wanjiku: [Pay]                    tapped, on the latest message that offers it
    > Wanjiku: [[Pay]]                  tapped, on the earliest
    > Wanjiku: (shares 0712345678)      also (voice note) and the like, see KINDS
    > Wanjiku: (forwards pay 500)       also (edits to pay 500)
    > Achieng: (sends pay.csv: to,number,amount / till,123456,500)   a file, with its lines
    > Achieng: (fills bank_code=68, account_number=0123)   a form, the latest; (fills late ...), the earliest
    * settle                            what the provider does
    < Wanjiku: Pay *KES 500.00* ...     what the bot says, with [Buttons]

`LIPACHAT_WRITE_TRANSCRIPTS=1 pytest tests/flows` writes what the bot says now; read the difference.
"""

import dataclasses
import functools
import itertools
import json
import re
from collections import defaultdict
from datetime import timedelta

from bot.whatsapp.heard import hear
from flows.conversation import Conversation
from flows.lipachat import SCRIPT
from flows.reply import Filled, NewIdentity, Reply, SharedNumber, Tap, Wishes
from flows.staff.shown import short
from flows.text import render
from services import phones
from services.batches.faults import Fault, Faulty
from services.errors import OverLimit
from services.errors.limits import TooManyWithdrawals
from services.facts import Checkout, Customer, Destination, Stopped, Way
from services.ids import new_id
from services.money import Money
from services.news import (
    Doubt,
    Flag,
    FloatShort,
    Frozen,
    Held,
    IdentityVerified,
    MethodAdded,
    PaymentMethod,
    PayoutsResumed,
    PayoutsStopped,
    Resting,
    SettingsWrong,
    Unpaid,
    Unsent,
    Unusual,
)
from services.news.approval import CodesEnrolled, CodesGuessed, RightLent, RightUsed
from services.news.batches import BatchSelfApprovalTried, Repeated
from services.news.conditions import KeyExpiring, ProviderDown, StillPending
from services.news.handoff import Ended
from services.news.reconciliation import BreakReopened, BreaksAged
from services.news.refunds import MoneyTakenBack, PaymentDisputed, Unrefunded
from services.news.settings import KeyRotated, StoppedByPerson
from services.news.webhooks import EndpointDropped, EndpointSet
from services.people.access import HAND_OFF, ROLES
from services.shop.facts import Line
from services.withdrawals import destinations
from tests.fakes import FakeBusiness, FakeTeller, mpesa
from tests.fakes.batches import FakeBatches
from tests.fakes.breaks import a_break
from tests.fakes.schedules import FakeSchedules

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
                    self._set_up(*line[2:].split())
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

    def _set_up(self, what, *facts):  # noqa: C901, PLR0912, PLR0915  a case a word
        match what, facts:
            case "saved", (name, phone):
                way = Way(method=mpesa(phones.mpesa_number(phone)), method_id=new_id())
                self.business.saved[self.business.people[name].person_id].append(way)
            case "card", (name, provider, *words):
                way = Way(method=PaymentMethod(provider=provider, label=" ".join(words)), method_id=new_id())
                self.business.saved[self.business.people[name].person_id].append(way)
            case "by", providers:  # customers can pay
                shop = self.business.shop
                self.business.shop = shop.model_copy(update={"collects_by": tuple(providers)})
            case "expired", (name,):  # the card that was saved last
                mine = self.business.saved[self.business.people[name].person_id]
                mine[-1] = mine[-1].model_copy(update={"expired": True})
            case "slow", providers:
                self._slow(*providers)
            case "ranked", providers:
                self.business.ranked = tuple(providers)
            case "wrote", (name,):  # lately
                chat = new_id()
                self.business.recent.append(Customer(label=name, conversation_id=chat))
            case "destination", (phone, *configured):
                details = {"phone_number": phones.mpesa_number(phone)}
                label = phones.masked(details["phone_number"])
                self.business.known.append(
                    Destination(
                        method_type="mpesa", details=details, label=label, configured=bool(configured)
                    )
                )
            case "ordered", (name, number, shillings, *words):  # and left unpaid
                money = Money.parse(shillings, "KES")
                checkout = Checkout(order_id=new_id(), amount=money, number=number, summary=" ".join(words))
                self.business.order(self.business.people[name], checkout)
            case "totp", (shillings, *names):
                self.business.totp_above = Money.parse(shillings, "KES")
                self.business.enrolled = set(names)
            case "needed", (approvals,):  # for each change
                self.business.needed = int(approvals)
            case "file", ("warned",):
                business, at = self.business, self.business.now - timedelta(days=2)
                repeated = tuple(Repeated(line=n, earlier=2) for n in range(3, 10))
                business.of_file = {"seen_at": at, "repeated": repeated, "new_destinations": True}
            case "file", ("fault", because, *words):  # that only the business can know
                told = {key: _fact(value) for key, value in (each.split("=") for each in words)}
                told = {"line": len(self.business.file_faults) + 2} | told
                self.business.file_faults.append(Faulty(because=Fault(because), **told))
            case "file", ("plain",):
                self.business.of_file = {}
            case "code", (code,):
                self.business.code = code
            case "low_balance", (shillings,):
                self.business.low_balance = Money.parse(shillings, "KES")
            case "sale_fee", (shillings,):
                self.business.sale_fee = Money.parse(shillings, "KES")
            case "owes", (shillings,):  # what a provider took back
                self.business.posted, self.business.owed = self.business.held, Money.parse(shillings, "KES")
            case "unusual", reasons:
                usual = Money(300_00, "KES")
                flags = [Flag(because=Unusual(each), usual=usual, count=4) for each in reasons]
                self.business.flags = tuple(flags)
            case "many", ("sales",):
                self.business.sales = 6_000
            case "away", (name,):  # has not written for a day
                self.business.away.add(name)
            case "bought", (quantity, *name, price):  # with whatever is paid
                line = Line(
                    sku=None, name=" ".join(name), price=Money.parse(price, "KES"), quantity=int(quantity)
                )
                self.business.lines += (line,)
            case "sells", (sku, price, left, *name):  # `-` where its stock is not counted
                self._sells(sku, price, left, " ".join(name))
            case "holds", (name, sku, quantity):  # in the cart
                self.business.goods.carts[self.business.people[name].person_id] = {sku: int(quantity)}
            case "describes", (sku, *words):
                goods = self.business.goods.products
                goods[sku] = goods[sku].model_copy(update={"description": " ".join(words)})
            case "nobody", ("answers",):
                people = self.business.people
                for name, me in people.items():
                    people[name] = me.model_copy(update={"scopes": me.scopes - {HAND_OFF}})
            case "paybill", (paybill,):
                self.business.shop = self.business.shop.model_copy(update={"paybill": paybill})
            case "numberless", ():
                self.business.shop = self.business.shop.model_copy(update={"number": None})
            case "closed", ("till",):
                self.business.shop = self.business.shop.model_copy(update={"collects_by": ()})
            case "closed", ("payouts", *missing):
                lacks = {"mpesa": tuple(missing)} if missing else {}
                closed = {"pays_out_by": (), "payout_lacks": lacks}
                self.business.shop = self.business.shop.model_copy(update=closed)
            case "pays", ("out", "by", *ways):
                self.business.shop = self.business.shop.model_copy(update={"pays_out_by": tuple(ways)})
            case "forms", names:
                self.business.shop = self.business.shop.model_copy(update={"forms": tuple(names)})
            case "account", (bank, number, *name):
                details = {"bank_code": bank, "account_number": number, "account_name": " ".join(name)}
                self.business.known.append(destinations.entered("bank_transfer", details))
            case "speaks", (name, language):
                people = self.business.people
                people[name] = people[name].model_copy(update={"language": language})
            case _:
                raise ValueError(what)

    def _slow(self, *providers):
        self.business.shop = self.business.shop.model_copy(update={"slow": frozenset(providers)})

    def _sells(self, sku, price, left, name):
        self.business.goods.stock(sku, price, left, name)
        self.business.shop = self.business.shop.model_copy(update={"sells": True})

    async def _happens(self, what, *facts):  # noqa: C901, PLR0912, PLR0915  a case a word
        business = self.business
        match what, facts:
            case "sells", (sku, price, left, *name):
                self._sells(sku, price, left, " ".join(name))
            case "slow", providers:
                self._slow(*providers)
            case "settle", ():
                business.settle()
            case "settle", ("card",):
                business.pay_by_card()
            case "page", ():
                business.open_page()
            case "propose", (name,):
                business.propose(business.people[name])
            case "page", ("asked",):
                business.ask_by_page()
            case "page", ("unheard",):  # the news is still on its way
                business.open_page()
                business.told.pop()
            case "settle", ("late",):
                business.settle(late=True)
            case "settle", ("unreceipted",):  # a query knows no receipt
                business.settle(receipt=None)
            case "settle", ("unheard",):  # the news is still on its way
                business.latest().state = "succeeded"
            case "doubt", ():  # a success was told, and is being confirmed
                business.latest().state = "doubted"
            case "approved", ("unheard",):
                business.put(next(reversed(business.withdrawals.values())), "processing")
            case "fee", (shillings,):
                business.fee = Money(int(shillings) * 100, "KES")
            case "fail", (because,):
                business.fail(Unpaid(because))
            case "open", ():
                business.keep_open()
            case "paid_out", ():
                business.pay_out()
            case "payout_returned", ():
                business.undo_payout(Unsent.RETURNED)
            case "payout_denied", ():
                business.undo_payout(Unsent.DENIED)
            case "paid_late", owed:
                business.pay_late(Money.parse(owed[0], "KES") if owed else Money(0, "KES"))
            case "code", (code,):  # the app shows the next one
                business.code = code
            case "payout_failed", (because,):
                business.fail_payout(Unsent(because))
            case "batch", (state, *many):  # the latest one comes to its end
                FakeBatches(business, None).end(state, int(many[0]) if many else 0)
            case "batch_rejected", ("unheard",):  # by another; the news is still on its way
                business.reject_batch()
            case "batch_tried", ():  # by a program, with the maker's key
                batch = next(reversed(business.batches.values()))
                business.told += [(owner, BatchSelfApprovalTried(batch=batch)) for owner in business.owners()]
            case "schedule", ("runs", *why):
                FakeSchedules(business, None).run(why[0] if why else None)
            case "schedule", ("tried",):  # by a program, with the maker's key
                FakeSchedules(business, None).tried()
            case "schedule", ("unheard",):  # rejected by another; the news is still on its way
                FakeSchedules(business, None).decide_unheard()
            case "schedule", (state, *why):
                FakeSchedules(business, None).end(state, why[0] if why else None)
            case "schedule_bad", (field,):
                business.bad_schedule = field
            case "file_over", ():
                business.over_file = Faulty(line=2, because=Fault.LIMIT, limit=Money(100_00, "KES"))
            case "held_back", ():
                business.hold_back()
            case "held_back", ("blocked",):
                business.hold_back(until=business.now + timedelta(hours=8), because=Held.HOURS)
            case "held_back", (because,):
                business.hold_back(because=Held(because))
            case "change", (state, *because):  # the latest one takes effect, or does not
                business.end_change(state, because[0] if because else None)
            case "change_rejected", ("unheard",):  # by another; the news is still on its way
                last = next(reversed(business.changes.values()))
                business.changes[last.id] = last.model_copy(update={"state": "rejected"})
            case "code", (code,):
                business.code = code
            case "lending_ended", ("unheard",):
                lending = next(reversed(business.lendings.values()))
                business.lendings[lending.id] = lending.model_copy(update={"state": "rejected"})
            case "halted", by:  # by the operator, where nobody is named; "-": by one who has no name
                name = by[0].strip("-") if by else None
                business.halted = Stopped(by=name, at=business.now)
                business.tell_concerned(StoppedByPerson(by=name, stopped=True), None)
            case "blocked", (state,):
                business.blocked_until = business.now + timedelta(hours=8) if state == "on" else None
            case "over", (of, shillings, left):
                limit = Money.parse(shillings, "KES")
                business.over = OverLimit(limit, limit, of, Money.parse(left, "KES"))
            case "too_many", (of, count):
                business.over = TooManyWithdrawals(int(count), of)
            case "given_back", ():
                business.give_back()
            case "refund_failed", (because,):
                business.give_back(because)
            case "refund_undecided", ():
                business.give_back(undecided=True)
            case "refund_undone", (because,):
                business.undo_refund(Unrefunded(because))
            case "answered_meanwhile", ():  # a customer's wish, by another
                business.wishes.clear()
            case "rejected_meanwhile", ():  # a refund, by another; the news is still on its way
                business.put_refund(next(reversed(business.refunds.values())), "rejected")
            case "taken_back", (shillings, "of", left):
                sums = {"owed": Money(0, "KES"), "left": Money.parse(left, "KES")}
                business.tell_reconcilers(MoneyTakenBack, **_of_an_order(shillings), **sums)
            case "taken_back", (shillings, *owed):
                rest = Money.parse(owed[0], "KES") if owed else Money(0, "KES")
                business.tell_reconcilers(MoneyTakenBack, **_of_an_order(shillings), owed=rest)
            case "break", (type_, shillings, label, receipt, hours):
                one = a_break(type_, shillings, label, receipt, business.now - timedelta(hours=int(hours)))
                business.breaks[one.id] = one
            case "own_break", others:  # who is talking has approved what it is about
                business.who_may_close = tuple(others)
            case "explained", ():
                for one in business.breaks.values():
                    business.breaks[one.id] = one.model_copy(update={"state": "explained"})
            case "break_reopened", (shillings, *by):
                had = {"by": by[0].strip("-") if by else None, "reason": "A sale at the counter"}
                amount = Money.parse(shillings, "KES")
                business.tell_reconcilers(BreakReopened, provider="mpesa", amount=amount, **had)
            case "breaks_aged", (count, shillings):
                aged = {"count": int(count), "total": Money.parse(shillings, "KES"), "oldest": business.now}
                business.tell_reconcilers(BreaksAged, provider="mpesa", **aged)
            case "disputed", (shillings,):
                business.tell_reconcilers(PaymentDisputed, **_of_an_order(shillings))
            case "later", (minutes,):
                business.now += timedelta(minutes=int(minutes))
            case "asked_again", ():
                business.ask_again()
            case "asked_again", ("rules",):
                business.ask_again(Unsent.APPROVER)
            case "undecided", reference:  # as M-Pesa has acknowledged it, where it has
                business.leave_undecided(*reference)
            case "in_review", ("silent",):
                business.leave_in_review(business.latest())
            case "in_review", (because, by, *amounts):
                business.leave_in_review(business.latest(), Doubt(because), amounts, by)
            case "asking", (count,):
                business.asking = int(count)
            case "receipt_used", (receipt,):
                business.receipts_used.add(receipt)
            case "settlement", (state, *because):  # void or contradicted: what the provider says
                business.end_settlement(state, *because)
            case "settled", ("unheard",):  # by another; the news is still on its way
                said = next(reversed(business.settlements.values()))
                business.settlements[said.id] = said.model_copy(update={"state": "rejected"})
            case "doubt", (because, *told):
                business.doubt(Doubt(because), Money.parse(told[0], "KES") if told else None)
            case "settings_wrong", ():
                business.tell_reconcilers(SettingsWrong, provider="mpesa")
            case "stopped", (way, because):  # that one alone
                business.resting.append(Resting(way=way, because=Frozen(because), since=business.now))
                provider = "paystack" if way == "bank_transfer" else "mpesa"
                cause = Frozen(because)
                business.tell_reconcilers(PayoutsStopped, because=cause, provider=provider, rail=way)
            case "float_short", (way,):
                provider = "paystack" if way == "bank_transfer" else "mpesa"
                sums = {"funds": Money(120_00, "KES"), "needed": Money(467_00, "KES")}
                business.tell_reconcilers(FloatShort, rail=way, provider=provider, **sums)
            case "pending_long", (what, count):
                business.tell_reconcilers(StillPending, what=what, count=int(count))
            case "provider_down", (provider,):
                business.tell_reconcilers(ProviderDown, provider=provider)
            case "key_expiring", (prefix,):
                at = business.now + timedelta(days=14)
                business.tell_reconcilers(KeyExpiring, prefix=prefix, at=at)
            case "resumed", (way,):
                business.resting.clear()
                business.tell_reconcilers(PayoutsResumed, rail=way)
            case "stopped", (because,):
                business.tell_reconcilers(PayoutsStopped, because=Frozen(because))
            case "resumed", ():
                business.tell_reconcilers(PayoutsResumed)
            case "saved_for", (name, phone):  # by the shop's own program
                method = mpesa(phones.mpesa_number(phone))
                person = business.people[name].person_id
                business.saved[person].append(Way(method=method, method_id=new_id()))
                business.told.append((person, MethodAdded(method=method)))
            case "ordered", (name, amount, *reason):  # by the shop's own program
                business.order_for(name, Money.parse(amount, "KES"), " ".join(reason))
            case "handoff", ("unheard",):  # the news is still on its way
                list(business.handed.values())[-1].state = "done"
            case "taken", (name,):  # by another, at this very moment
                list(business.handed.values())[-1].by = business.people[name]
            case "handoff", (because,):
                business.end_handoff(Ended(because))
            case "window", (state,):
                business.window_closed = state == "closed"
            case "expire", ():
                business.expire()
            case "day_ends", ():
                business.end_day()
            case "remind", ():
                business.remind()
            case "request_expires", ():
                business.close_request()
            case "identity_changed", (name,):
                await self.hear(name, NewIdentity())
            case "wishes", (name, unasked):  # by WhatsApp's own switch
                await self.hear(name, Wishes(unasked=unasked == "resume"))
            case "verified", (name,):
                business.told.append((business.people[name].person_id, IdentityVerified()))
            case "enrolled", (name, *again):
                news = CodesEnrolled(name=name, again=bool(again))
                business.told += [(owner, news) for owner in business.owners()]
            case "rotated", (name,):
                until = business.now + timedelta(days=1)
                key = KeyRotated(name=name, prefix="lipa_0123456789ab", until=until)
                business.told += [(owner, key) for owner in business.owners()]
            case "lent", (lender, borrower):
                until = business.now + timedelta(days=3)
                lent = RightLent(lender=lender, borrower=borrower, until=until)
                business.told += [(owner, lent) for owner in business.owners()]
            case "used", (lender, borrower):
                used = RightUsed(borrower=borrower, reference="4F2A9C")
                business.told.append((business.people[lender].person_id, used))
            case "guessed", (name,):
                guessed = CodesGuessed(name=name, reference="4F2A9C")
                business.told += [(owner, guessed) for owner in business.owners()]
            case "webhooks", (host, because):
                dropped = EndpointDropped(host=host, because=because)
                business.told += [(owner, dropped) for owner in business.owners()]
            case "webhooks_to", (host, name):
                there = EndpointSet(host=host, name=name)
                business.told += [(owner, there) for owner in business.owners()]
            case "settings", changed:
                business.change(changed)
            case "release", (name,):  # a release that no longer knows where the person stands
                self.places[name] = re.sub(rb'"step":"\w+"', b'"step":"Gone"', self.places[name])
            case "switched", (state,):
                business.shop = business.shop.model_copy(update={"open": state == "on"})
            case _:
                raise ValueError(what)

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


def _fact(value):
    """Of a fault: "of=day", "most=3", or "limit=500.00"."""
    if value.isdigit():
        return int(value)
    return Money.parse(value, "KES") if "." in value else value


def _of_an_order(shillings):
    return {"number": "K7Q2X0", "amount": Money.parse(shillings, "KES"), "provider": "mpesa"}


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
