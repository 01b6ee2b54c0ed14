"""Review told: what a provider has told of a payment in doubt, and what of it does not fit, in words."""

from typing import Any

from flows.refusals import provider_name, receipt_shown
from flows.text import Text
from services.money import Money
from services.news import Doubt
from services.news.review import Told, Undecided


def told_of(about: Undecided, receipt: str | None = None) -> tuple[Text, ...]:
    """Each word of the provider, and what does not fit. `receipt`: what somebody says that it has."""
    words = tuple(_word(about, each) for each in about.told)
    return (*(words or (_nothing_told(about),)), *warnings(about, receipt))


def _nothing_told(about: Undecided) -> Text:
    provider = provider_name(about.provider)
    if about.differs:
        return Text("{provider} has told of another amount than was asked for.", provider=provider)
    if about.reference is None:
        return Text("{provider} has told of no success. Nothing was credited.", provider=provider)
    return Text(
        "{provider} has told of the receipt {reference}, which could not be credited.",
        provider=provider,
        reference=about.reference,
    )


def _word(about: Undecided, told: Told) -> Text:
    how = {
        "callback": Text("by a callback that nobody signs"),
        "signed_callback": Text("by a callback that it has signed"),
        "answer": Text("when I asked"),
    }[told.by]
    facts: dict[str, Any] = {"provider": provider_name(about.provider), "at": told.at, "how": how}
    if not told.paid:
        return Text("{provider} told on {at}, {how}: not paid.", **facts)
    if told.amount is None:
        return Text("{provider} told on {at}, {how}: paid, without saying how much.", **facts)
    receipt = Text("It named no receipt.")
    if told.receipt is not None:
        receipt = receipt_shown(told.receipt, about.provider)
    return Text(
        "{provider} told on {at}, {how}: *{amount}*. {receipt}", **facts, amount=told.amount, receipt=receipt
    )


def warnings(about: Undecided, receipt: str | None = None) -> tuple[Text, ...]:
    """What does not fit together of a payment, in plain words."""
    provider = provider_name(about.provider)
    found = [_difference(about, each.amount) for each in about.others[-1:] if each.amount is not None]
    receipts = {each.receipt for each in about.told if each.receipt is not None}
    if receipt is not None and receipts and receipt not in receipts:
        found.append(Text("⚠️ That is another receipt than {provider} has told.", provider=provider))
    if about.doubt == Doubt.UNCONFIRMED:
        found.append(Text("⚠️ {provider} was asked about it, and has not confirmed it.", provider=provider))
    if about.doubt == Doubt.CONTRADICTED:
        found.append(Text("⚠️ {provider} has said that it was paid, and that it was not.", provider=provider))
    if about.twice:
        found.append(
            Text(
                "⚠️ Order {number} is paid already, by another payment. What this one brings is kept apart "
                "from the wallet.",
                number=about.way,
            )
        )
    return tuple(found)


def _difference(about: Undecided, told: Money) -> Text:
    asked = about.amount
    if told.currency != asked.currency:
        return Text(
            "⚠️ {told} was told and {asked} was asked for: that is another currency.", told=told, asked=asked
        )
    facts: dict[str, Any] = {"told": told, "asked": asked}
    if told < asked:
        return Text(
            "⚠️ {told} was told and {asked} was asked for: that is {difference} too little.",
            **facts,
            difference=asked - told,
        )
    return Text(
        "⚠️ {told} was told and {asked} was asked for: that is {difference} too much.",
        **facts,
        difference=told - asked,
    )
