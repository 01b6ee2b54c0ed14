"""What customers do and providers tell of payments, orders and refunds."""

from services import phones
from services.facts import Way
from services.ids import new_id
from services.money import Money
from services.news import (
    Doubt,
    MethodAdded,
    Unpaid,
)
from services.news.refunds import MoneyTakenBack, PaymentDisputed, Unrefunded
from tests.fakes import mpesa
from tests.flows.words import event


@event
def settle(business, *facts):
    match facts:
        case ():
            business.settle()
        case ("card",):
            business.pay_by_card()
        case ("late",):
            business.settle(late=True)
        case ("unreceipted",):  # a query knows no receipt
            business.settle(receipt=None)
        case ("unheard",):  # the news is still on its way
            business.latest().state = "succeeded"
        case _:
            raise ValueError(facts)


@event
def page(business, *facts):
    match facts:
        case ():
            business.open_page()
        case ("asked",):
            business.ask_by_page()
        case ("unheard",):  # the news is still on its way
            business.open_page()
            business.told.pop()
        case _:
            raise ValueError(facts)


@event
def propose(business, name):
    business.propose(business.people[name])


@event
def doubt(business, *facts):
    match facts:
        case ():  # a success was told, and is being confirmed
            business.latest().state = "doubted"
        case (because, *told):
            business.doubt(Doubt(because), Money.parse(told[0], "KES") if told else None)
        case _:
            raise ValueError(facts)


@event
def fee(business, shillings):
    business.fee = Money(int(shillings) * 100, "KES")


@event
def fail(business, because):
    business.fail(Unpaid(because))


@event
def open_(business):
    business.keep_open()


@event
def paid_late(business, *owed):
    business.pay_late(Money.parse(owed[0], "KES") if owed else Money(0, "KES"))


@event
def expire(business):
    business.expire()


@event
def remind(business):
    business.remind()


@event
def request_expires(business):
    business.close_request()


@event
def saved_for(business, name, phone):
    """By the shop's own program."""
    method = mpesa(phones.mpesa_number(phone))
    person = business.people[name].person_id
    business.saved[person].append(Way(method=method, method_id=new_id()))
    business.told.append((person, MethodAdded(method=method)))


@event
def ordered(business, name, amount, *reason):
    """By the shop's own program."""
    business.order_for(name, Money.parse(amount, "KES"), " ".join(reason))


@event
def given_back(business):
    business.give_back()


@event
def refund_failed(business, because):
    business.give_back(because)


@event
def refund_undecided(business):
    business.give_back(undecided=True)


@event
def refund_undone(business, because):
    business.undo_refund(Unrefunded(because))


@event
def answered_meanwhile(business):
    """A customer's wish, by another."""
    business.wishes.clear()


@event
def rejected_meanwhile(business):
    """A refund, by another; the news is still on its way."""
    business.put_refund(next(reversed(business.refunds.values())), "rejected")


@event
def taken_back(business, *facts):
    match facts:
        case (shillings, "of", left):
            sums = {"owed": Money(0, "KES"), "left": Money.parse(left, "KES")}
            business.tell_reconcilers(MoneyTakenBack, **_of_an_order(shillings), **sums)
        case (shillings, *owed):
            rest = Money.parse(owed[0], "KES") if owed else Money(0, "KES")
            business.tell_reconcilers(MoneyTakenBack, **_of_an_order(shillings), owed=rest)
        case _:
            raise ValueError(facts)


@event
def disputed(business, shillings):
    business.tell_reconcilers(PaymentDisputed, **_of_an_order(shillings))


@event
def receipt_used(business, receipt):
    business.receipts_used.add(receipt)


@event
def undecided(business, *reference):
    """As M-Pesa has acknowledged it, where it has."""
    business.leave_undecided(*reference)


@event
def in_review(business, *facts):
    match facts:
        case ("silent",):
            business.leave_in_review(business.latest())
        case (because, by, *amounts):
            business.leave_in_review(business.latest(), Doubt(because), amounts, by)
        case _:
            raise ValueError(facts)


@event
def asking(business, count):
    business.asking = int(count)


@event
def settlement(business, state, *because):
    """Void or contradicted: what the provider says."""
    business.end_settlement(state, *because)


@event
def settled(business, *facts):
    match facts:
        case ("unheard",):  # by another; the news is still on its way
            said = next(reversed(business.settlements.values()))
            business.settlements[said.id] = said.model_copy(update={"state": "rejected"})
        case _:
            raise ValueError(facts)


def _of_an_order(shillings):
    return {"number": "K7Q2X0", "amount": Money.parse(shillings, "KES"), "provider": "mpesa"}
