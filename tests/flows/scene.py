"""Scene: what is so before the talk, the lines `@ WORD facts` of a transcript."""

from datetime import timedelta

from services import phones
from services.batches.faults import Fault, Faulty
from services.facts import Checkout, Customer, Destination, Way
from services.ids import new_id
from services.money import Money
from services.news import (
    Flag,
    PaymentMethod,
    Unusual,
)
from services.news.batches import Repeated
from services.people.access import HAND_OFF
from services.shop.facts import Line
from services.withdrawals import destinations
from tests.fakes import mpesa
from tests.flows.words import before, event


@before
def saved(business, name, phone):
    way = Way(method=mpesa(phones.mpesa_number(phone)), method_id=new_id())
    business.saved[business.people[name].person_id].append(way)


@before
def card(business, name, provider, *words):
    way = Way(method=PaymentMethod(provider=provider, label=" ".join(words)), method_id=new_id())
    business.saved[business.people[name].person_id].append(way)


@before
def by(business, *providers):
    """Customers can pay."""
    shop = business.shop
    business.shop = shop.model_copy(update={"collects_by": tuple(providers)})


@before
def expired(business, name):
    """The card that was saved last."""
    mine = business.saved[business.people[name].person_id]
    mine[-1] = mine[-1].model_copy(update={"expired": True})


@event
@before
def slow(business, *providers):
    business.shop = business.shop.model_copy(update={"slow": frozenset(providers)})


@before
def ranked(business, *providers):
    business.ranked = tuple(providers)


@before
def wrote(business, name):
    """Lately."""
    chat = new_id()
    business.recent.append(Customer(label=name, conversation_id=chat))


@before
def destination(business, phone, *configured):
    details = {"phone_number": phones.mpesa_number(phone)}
    label = phones.masked(details["phone_number"])
    business.known.append(
        Destination(method_type="mpesa", details=details, label=label, configured=bool(configured))
    )


@before
def ordered(business, name, number, shillings, *words):
    """And left unpaid."""
    money = Money.parse(shillings, "KES")
    checkout = Checkout(order_id=new_id(), amount=money, number=number, summary=" ".join(words))
    business.order(business.people[name], checkout)


@before
def totp(business, shillings, *names):
    business.totp_above = Money.parse(shillings, "KES")
    business.enrolled = set(names)


@before
def needed(business, approvals):
    """For each change."""
    business.needed = int(approvals)


@before
def file(business, *facts):
    match facts:
        case ("warned",):
            at = business.now - timedelta(days=2)
            repeated = tuple(Repeated(line=n, earlier=2) for n in range(3, 10))
            business.of_file = {"seen_at": at, "repeated": repeated, "new_destinations": True}
        case ("fault", because, *words):  # that only the business can know
            told = {key: _fact(value) for key, value in (each.split("=") for each in words)}
            told = {"line": len(business.file_faults) + 2} | told
            business.file_faults.append(Faulty(because=Fault(because), **told))
        case ("plain",):
            business.of_file = {}
        case _:
            raise ValueError(facts)


@event
@before
def code(business, code):
    business.code = code


@before
def low_balance(business, shillings):
    business.low_balance = Money.parse(shillings, "KES")


@before
def sale_fee(business, shillings):
    business.sale_fee = Money.parse(shillings, "KES")


@before
def owes(business, shillings):
    """What a provider took back."""
    business.posted, business.owed = business.held, Money.parse(shillings, "KES")


@before
def unusual(business, *reasons):
    usual = Money(300_00, "KES")
    flags = [Flag(because=Unusual(each), usual=usual, count=4) for each in reasons]
    business.flags = tuple(flags)


@before
def many(business, *facts):
    match facts:
        case ("sales",):
            business.sales = 6_000
        case _:
            raise ValueError(facts)


@before
def away(business, name):
    """Has not written for a day."""
    business.away.add(name)


@before
def bought(business, *facts):
    match facts:
        case (quantity, *name, price):  # with whatever is paid
            line = Line(
                sku=None, name=" ".join(name), price=Money.parse(price, "KES"), quantity=int(quantity)
            )
            business.lines += (line,)
        case _:
            raise ValueError(facts)


@event
@before
def sells(business, sku, price, left, *name):
    """`-` where its stock is not counted."""
    business.goods.stock(sku, price, left, " ".join(name))
    business.shop = business.shop.model_copy(update={"sells": True})


@before
def holds(business, name, sku, quantity):
    """In the cart."""
    business.goods.carts[business.people[name].person_id] = {sku: int(quantity)}


@before
def describes(business, sku, *words):
    goods = business.goods.products
    goods[sku] = goods[sku].model_copy(update={"description": " ".join(words)})


@before
def nobody(business, *facts):
    match facts:
        case ("answers",):
            people = business.people
            for name, me in people.items():
                people[name] = me.model_copy(update={"scopes": me.scopes - {HAND_OFF}})
        case _:
            raise ValueError(facts)


@before
def paybill(business, paybill):
    business.shop = business.shop.model_copy(update={"paybill": paybill})


@before
def numberless(business):
    business.shop = business.shop.model_copy(update={"number": None})


@before
def closed(business, *facts):
    match facts:
        case ("till",):
            business.shop = business.shop.model_copy(update={"collects_by": ()})
        case ("payouts", *missing):
            lacks = {"mpesa": tuple(missing)} if missing else {}
            closed = {"pays_out_by": (), "payout_lacks": lacks}
            business.shop = business.shop.model_copy(update=closed)
        case _:
            raise ValueError(facts)


@before
def pays(business, *facts):
    match facts:
        case ("out", "by", *ways):
            business.shop = business.shop.model_copy(update={"pays_out_by": tuple(ways)})
        case _:
            raise ValueError(facts)


@before
def forms(business, *names):
    business.shop = business.shop.model_copy(update={"forms": tuple(names)})


@before
def account(business, bank, number, *name):
    details = {"bank_code": bank, "account_number": number, "account_name": " ".join(name)}
    business.known.append(destinations.entered("bank_transfer", details))


@before
def speaks(business, name, language):
    people = business.people
    people[name] = people[name].model_copy(update={"language": language})


def _fact(value):
    """Of a fault: "of=day", "most=3", or "limit=500.00"."""
    if value.isdigit():
        return int(value)
    return Money.parse(value, "KES") if "." in value else value
