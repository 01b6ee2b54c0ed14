"""Refusals about money that goes back, as a person reads them."""

from flows.text import Text
from services.errors import Refusal
from services.errors import refunds as errors


def refund_worded(refusal: Refusal) -> Text | None:
    """None for another refusal."""
    match refusal:
        case errors.MoneyOwed(owed=owed):
            return Text(
                "{shop} owes {owed}, since a payment was taken back. The next sales pay it, and you can "
                "withdraw again then.",
                owed=owed,
            )
        case errors.AlreadyRefunded(number=number, because="waits"):
            return Text(
                "Nothing of order {number} is left to give back: a refund of it is waiting or on its way.",
                number=number,
            )
        case errors.AlreadyRefunded(number=number, because="kept"):
            return Text(
                "The second payment of order {number} was kept as a sale, so it is not given back here. If "
                "it has to go back, please give it back in another way.",
                number=number,
            )
        case errors.AlreadyRefunded(number=number, because="taken_back"):
            return Text(
                "Nothing of order {number} is left to give back: the provider has given it back already.",
                number=number,
            )
        case errors.AlreadyRefunded(number=number):
            return Text(
                "Nothing of order {number} is left to give back: it has been refunded.", number=number
            )
        case errors.MoreThanRemains(remains=remains):
            return Text("At most {remains} of this payment can be given back.", remains=remains)
        case errors.NotRefundable(because="whole"):
            return Text("What was paid twice is given back as a whole.")
        case errors.NotRefundable():
            return Text("The provider cannot give this payment back. Please give it back in another way.")
        case errors.RefundAsked(number=number):
            return Text(
                "You have asked {shop} about order {number} already. They will answer here.", number=number
            )
        case _:
            return None
