"""Refusals: what a person reads when the business says no, and what to do then."""

from datetime import datetime

from flows.refusals_statement import statement_worded
from flows.refused_approvals import approval_worded
from flows.refused_closing import closing_worded
from flows.refused_refunds import refund_worded
from flows.staff import limited
from flows.staff.refused_review import review_worded
from flows.text import Text
from services import errors
from services.banks import InvalidDestination
from services.errors import Refusal
from services.errors import handoff as handoff_errors
from services.news import Withdrawal
from services.rails import RAILS

PROVIDERS = {
    "mpesa": Text("M-Pesa"),
    "paystack": Text("Paystack"),
    "pesapal": Text("Pesapal"),
    "stripe": Text("Stripe"),
    "bank_transfer": Text("bank transfer"),
    "till": Text("till"),
}
_DESTINATIONS = {
    "bank_code": Text("I don't know that bank. Please choose one of the list."),
    "account_number": Text(
        "An account number has 6 to 16 digits. Type the digits only; cards are not taken."
    ),
    "account_name": Text("Type the account holder's name in letters, as the bank has it."),
    "till_number": Text("A till number has 5 to 9 digits. Please check it."),
}
STATUSES = {
    "pending": Text("is waiting for approval"),
    "processing": Text("is being paid out"),
    "completed": Text("has been paid out"),
    "failed": Text("has failed"),
    "canceled": Text("was cancelled"),
    "rejected": Text("was rejected"),
    "expired": Text("was not decided in time"),
}


def provider_name(provider: str) -> Text:
    """For people; the name itself where it is not known."""
    return PROVIDERS.get(provider, Text("{provider}", provider=provider))


def carrier_name(withdrawal: Withdrawal) -> Text:
    """For people: of whoever has sent it, or usually does."""
    return provider_name(withdrawal.carrier or RAILS[withdrawal.method_type].provider)


def receipt_shown(receipt: str | None, provider: str = "mpesa") -> Text:
    """The provider's, where it has told one."""
    if receipt is None:
        return Text("Receipt: see the SMS from {provider}.", provider=provider_name(provider))
    return Text("Receipt: {receipt}.", receipt=receipt)


def worded(refusal: Refusal) -> Text:
    """A sentence on what is wrong, and one on what to do."""
    match refusal:
        case errors.InvalidAmount(too_low=True):
            return Text("The amount must be above zero. Type a number such as 500 or 1,250.")
        case errors.InvalidAmount(given=given, letters=True):
            return Text(
                "“{given}” has letters in it that look like figures. Type it in figures only, such as 500.",
                given=given,
            )
        case errors.InvalidAmount(given=given):
            return Text("“{given}” is not an amount. Type a number such as 500 or 1,250.", given=given)
        case errors.RequestsOpen(most=most):
            return Text(
                "This customer has {most} unpaid requests already. Ask again when one is paid or declined.",
                most=most,
            )
        case errors.WritesUnwanted():
            return Text("This customer does not want messages from {shop}, so I can't ask them.")
        case errors.InvalidPhone(unlike=True):
            return Text("That does not look like a phone number. Type one such as 0712 345 678.")
        case errors.InvalidPhone():
            return Text("M-Pesa cannot reach that number. Type a Kenyan mobile number, such as 0712 345 678.")
        case errors.NotWholeShillings(amount=amount):
            return Text(
                "M-Pesa takes whole shillings only, so {amount} is not possible. Leave out the cents.",
                amount=amount,
            )
        case errors.ProviderNotConfigured():
            return _not_set_up(refusal)
        case _:
            return _limits(refusal)


def _limits(refusal: Refusal) -> Text:
    match refusal:
        case InvalidDestination(field=field):
            return _DESTINATIONS.get(field, Text("No money can go there. Please check it."))
        case errors.BelowMinimum(minimum=minimum, amount=amount, net=True) if amount.minor <= 0:
            return Text(
                "The fee would take all of that, and the least that can be sent is {minimum}. "
                "Choose a larger amount.",
                minimum=minimum,
            )
        case errors.BelowMinimum(minimum=minimum, amount=amount, net=True):
            return Text(
                "After the fee, {amount} would be left, and the least that can be sent is {minimum}. "
                "Choose a larger amount.",
                amount=amount,
                minimum=minimum,
            )
        case errors.BelowMinimum(minimum=minimum, amount=amount):
            return Text(
                "{amount} is too little: the least is {minimum}. Choose a larger amount.",
                amount=amount,
                minimum=minimum,
            )
        case errors.OverLimit() if refusal.left is not None:
            return limited.worded(refusal)
        case errors.OverLimit(limit=limit, amount=amount):
            return Text(
                "{amount} is too much: the most is {limit}. Choose a smaller amount.",
                amount=amount,
                limit=limit,
            )
        case errors.InsufficientBalance(available=available, required=required):
            return Text(
                "The wallet has {available} available, which does not cover {required}. "
                "Choose a smaller amount.",
                available=available,
                required=required,
            )
        case _:
            return _access(refusal)


def _not_set_up(refusal: errors.ProviderNotConfigured) -> Text:
    """Customers can only ask the shop; its staff can have it mended."""
    provider = provider_name(refusal.provider)
    if not refusal.paying_out:
        return Text("{shop} has not set up {provider}. Please ask them about another way.", provider=provider)
    if not refusal.missing:
        return Text("{shop} cannot pay out by {provider}. Ask the operator to set it up.", provider=provider)
    return Text(
        "{shop} cannot pay out by {provider} yet. The operator must add to its settings: {missing}.",
        provider=provider,
        missing=", ".join(refusal.missing),
    )


def _access(refusal: Refusal) -> Text:
    if (text := approval_worded(refusal)) is not None:
        return text
    match refusal:
        case errors.MissingScope():
            return Text("You are not allowed to do that. Ask an owner of {shop} for permission.")
        case errors.FourEyesViolation():
            return Text(
                "You asked for this withdrawal yourself, so another person has to approve it. "
                "Your attempt has been recorded, and the owners of {shop} have been told."
            )
        case errors.PayoutsFrozen(way=str()):
            return limited.THIS_WAY
        case errors.PayoutsFrozen():
            return Text(
                "Payouts from {shop} are on hold until the operator has looked into a problem. "
                "Please try again later."
            )
        case errors.InvalidMethodDetails() | errors.TwoCustomers():
            return Text("That is not complete or not right, so I can't take it. Please look at it again.")
        case errors.NotFound():
            return Text("I can't find that any more. Type *menu* to go on.")
        case _:
            return _state(refusal)


def _state(refusal: Refusal) -> Text:
    match refusal:
        case errors.NotPending(status="expired"):
            return Text("This withdrawal was not decided in time. The amount is available again.")
        case errors.NotPending(status=status, by=by, at=at):
            return decided(status, by, at)
        case errors.BlankReason():
            return Text("I can't read a reason there. Type it in a few words, such as: wrong amount.")
        case errors.Changed():
            return Text("Something about this has changed in the meantime. Please look at it again.")
        case errors.AlreadyPaid(number=number, receipt=receipt) if receipt:
            return Text("Order {number} is already paid, receipt {receipt}.", number=number, receipt=receipt)
        case errors.AlreadyPaid(number=number):
            return Text("Order {number} is already paid.", number=number)
        case errors.OrderClosed(number=number):
            return Text("Order {number} is closed, unpaid. Type *menu* to go on.", number=number)
        case errors.PaymentUnderWay():
            return _under_way(refusal)
        case _:
            return _shop(refusal)


def _under_way(refusal: errors.PaymentUnderWay) -> Text:
    match refusal:
        case errors.PaymentUnderWay(number=number, told=True, provider=provider):
            return Text(
                "{provider} has told me of a payment for order {number}, and it is being confirmed. "
                "Please don't pay again: I'll tell you here.",
                number=number,
                provider=provider_name(provider),
            )
        case errors.PaymentUnderWay(number=number, by="page"):
            return Text(
                "The page on which order {number} could be paid is still open. Try again in a moment: I have "
                "it closed first.",
                number=number,
            )
        case errors.PaymentUnderWay(number=number, by="card"):
            return Text(
                "The card may have been charged for order {number}, and I'm asking. Please don't pay again "
                "now: I'll tell you here.",
                number=number,
            )
        case errors.PaymentUnderWay(number=number):
            return Text(
                "The request for order {number} may still be open on the phone. Answer it there, "
                "or wait three minutes and try again.",
                number=number,
            )


def _shop(refusal: Refusal) -> Text:
    match refusal:
        case errors.OutOfStock(name=name, left=0):
            return Text("{name} is sold out. Please choose something else.", name=name)
        case errors.OutOfStock(name=name, left=left):
            return Text("{name}: only {left} left. Please choose fewer.", left=left, name=name)
        case errors.UnknownProduct(sku=sku):
            return Text("{shop} does not sell “{sku}”. Please choose something else.", sku=sku)
        case errors.InvalidQuantity(most=most):
            return Text("The quantity must be a number from 1 to {most}.", most=most)
        case errors.TooManyLines(most=most):
            return Text("An order takes at most {most} lines. Please make two orders of it.", most=most)
        case errors.NotPaid(number=number, closed=True):
            return Text("Order {number} was closed unpaid, so it has no receipt.", number=number)
        case errors.NotPaid(number=number):
            return Text("Order {number} is not paid yet. Type *pay* to pay it.", number=number)
        case errors.EmptyOrder():
            return Text("There is nothing in this order yet. Please choose something first.")
        case _:
            return _cart(refusal)


def _cart(refusal: Refusal) -> Text:
    match refusal:
        case errors.EmptyCart():
            return Text("Your cart is empty. Type *shop* to see what {shop} sells.")
        case errors.NothingForSale():
            return Text("{shop} has put no products here yet. Type *menu* to see what I can do.")
        case errors.BlankNote():
            return Text("I can't read anything there. Type it in a few words.")
        case errors.NoteTooLong(most=most):
            return Text("That is too long for a note: at most {most} letters, please.", most=most)
        case _:
            return _answering(refusal)


def _answering(refusal: Refusal) -> Text:
    match refusal:
        case handoff_errors.NobodyAnswers():
            return Text("Nobody of {shop} answers in this chat. Please contact {shop} directly.")
        case handoff_errors.AnswersCustomers():
            return Text("You are one of those who answer customers here, so I can't hand you over.")
        case handoff_errors.AnsweredBy(by=by):
            return Text("{by} is answering this customer already.", by=by)
        case handoff_errors.HandoffOver():
            return Text("This customer is talking with me again.")
        case handoff_errors.OutsideWindow():
            return Text(
                "This customer has not written for a day, so WhatsApp does not let you write to them. "
                "They can be answered once they write again."
            )
        case _:
            return _of_staff(refusal)


def _of_staff(refusal: Refusal) -> Text:
    closing = closing_worded(refusal) or review_worded(refusal) or refund_worded(refusal)
    return statement_worded(refusal) or closing or limited.worded(refusal)


def decided(status: str, by: str | None = None, at: datetime | None = None) -> Text:
    """Where a withdrawal stands that is no longer to be decided."""
    state = STATUSES[status]
    if by and at:
        return Text("This withdrawal {status}. Decided by {by} on {at}.", status=state, by=by, at=at)
    if by:
        return Text("This withdrawal {status} by {by}.", status=state, by=by)
    return Text("This withdrawal {status}.", status=state)
