"""Time, WhatsApp's window, and the shop's own switch."""

from datetime import timedelta

from tests.flows.words import event


@event
def later(business, minutes):
    business.now += timedelta(minutes=int(minutes))


@event
def window(business, state):
    business.window_closed = state == "closed"


@event
def day_ends(business):
    business.end_day()


@event
def switched(business, state):
    business.shop = business.shop.model_copy(update={"open": state == "on"})
