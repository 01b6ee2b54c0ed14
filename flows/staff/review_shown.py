"""Review shown: what is undecided, and what somebody has said of it, in words."""

from typing import Any

from flows.refusals import provider_name, receipt_shown
from flows.staff.review_told import told_of
from flows.staff.shown import rail_shown, short
from flows.text import Text, Typed
from services.news.review import ReviewQueue, Settlement, Undecided


def sent_to(about: Undecided) -> Text:
    """How much, when, and where it was to go."""
    told: dict[str, Any] = {
        "reference": short(about.of),
        "amount": about.amount,
        "at": about.sent_at,
        "destination": rail_shown(about.way if about.kind == "payout" else about.provider, about.destination),
    }
    if about.kind == "payment":
        return Text(
            "Payment of order {number}\nAmount asked for: *{amount}*\nBy: {destination}\nOn: {at}",
            **told,
            number=about.way,
        )
    if about.kind == "payout":
        return Text("Withdrawal {reference}\nAmount sent: *{amount}*\nTo: {destination}\nOn: {at}", **told)
    return Text("Refund {reference}\nAmount sent: *{amount}*\nTo: {destination}\nOn: {at}", **told)


def what_is_known(about: Undecided) -> Text:
    """How far it came."""
    provider = provider_name(about.provider)
    if about.kind == "payment":
        return Text("{lines}", lines=told_of(about))
    if about.reference is None:
        return Text("{provider} has not answered, so it may never have got there.", provider=provider)
    return Text(
        "{provider} has taken it as {reference}, and says no more.",
        provider=provider,
        reference=about.reference,
    )


def in_a_list(about: Undecided) -> Text:
    """A payment by its order, which people know."""
    reference = about.way if about.kind == "payment" else short(about.of)
    return Text("{amount} {reference}", amount=about.amount, reference=reference)


def still_asked(queue: ReviewQueue) -> tuple[Text, ...]:
    """Of how many payments I ask by myself what became of the success that was told."""
    if not queue.asking:
        return ()
    asking = Text(
        "One more payment is in doubt, and I am still asking about it myself.",
        "{count} more payments are in doubt, and I am still asking about them myself.",
        count=queue.asking,
    )
    return (asking,)


def in_short(settlement: Settlement) -> Text:
    if settlement.outcome == "paid":
        return Text("{maker}: it was paid", maker=settlement.maker)
    return Text("{maker}: it was not paid", maker=settlement.maker)


def _with_words(about: Undecided, receipt: str | None = None) -> Text:
    """What it is about, and of a payment what the provider has told of it."""
    if about.kind != "payment":
        return sent_to(about)
    return Text("{lines}", lines=(sent_to(about), *told_of(about, receipt)))


def said(settlement: Settlement) -> Text:
    """What its maker says, and by what."""
    told: dict[str, Any] = {
        "what": _with_words(settlement.about),
        "maker": settlement.maker,
        "note": Typed(settlement.note),
    }
    if settlement.outcome == "paid":
        receipt = receipt_shown(settlement.reference, settlement.about.provider)
        told["what"] = _with_words(settlement.about, settlement.reference)
        if settlement.about.differs:
            return Text(
                "{what}\n{maker} says that {provider}'s own records have *{amount}*. {receipt}\nNote: {note}",
                **told,
                provider=provider_name(settlement.about.provider),
                amount=settlement.about.amount,
                receipt=receipt,
            )
        return Text("{what}\n{maker} says that it was paid. {receipt}\nNote: {note}", **told, receipt=receipt)
    return Text(
        "{what}\n{maker} says that it was not paid, by: {reference}\nNote: {note}",
        **told,
        reference=settlement.reference,
    )


def stands(settlement: Settlement) -> Text:
    """Where it is, and what comes of it."""
    if settlement.about.kind == "payment" and settlement.state in ("pending", "done"):
        return _of_payment(settlement)
    match settlement.state:
        case "pending" if settlement.outcome == "paid":
            return Text(
                "Once another person approves it, by {until}, it counts as paid out.",
                until=settlement.expires_at,
            )
        case "pending":
            return Text(
                "Once another person approves it, by {until}, it has failed and the amount is available "
                "again. Nothing is sent a second time.",
                until=settlement.expires_at,
            )
        case "done" if settlement.outcome == "paid":
            return Text("✅ It is approved, and counts as paid.")
        case "done":
            return Text("✅ It is approved, and has failed: the amount is available again.")
        case "contradicted":
            return _contradicted(settlement)
        case "void":
            return _void(settlement)
        case "rejected":
            return Text("It was rejected. It is still not known what became of it.")
        case "expired":
            return Text("Nobody approved it in time. It is still not known what became of it.")
    return Text("It was taken back. It is still not known what became of it.")


def _of_payment(settlement: Settlement) -> Text:
    """What comes of it, or has come, of money that a customer was to pay."""
    match settlement.state, settlement.outcome:
        case "pending", "paid" if settlement.about.twice:
            return Text(
                "Once another person approves it, by {until}, *{amount}* is kept apart, to be given back.",
                until=settlement.expires_at,
                amount=settlement.about.amount,
            )
        case "pending", "paid":
            return Text(
                "Once another person approves it, by {until}, the payment counts and *{amount}* is in the "
                "wallet.",
                until=settlement.expires_at,
                amount=settlement.about.amount,
            )
        case "pending", _:
            return Text(
                "Once another person approves it, by {until}, it counts as not paid, and the order can be "
                "paid again. What came in must be given back at {provider}.",
                until=settlement.expires_at,
                provider=provider_name(settlement.about.provider),
            )
        case _, "paid" if settlement.about.twice:
            return Text("✅ It is approved, and kept apart. Type *refunds* to give it back.")
        case _, "paid":
            return Text("✅ It is approved: the payment counts and is in the wallet.")
    return Text("✅ It is approved: it counts as not paid, and the order can be paid again.")


def _contradicted(settlement: Settlement) -> Text:
    provider = provider_name(settlement.about.provider)
    if settlement.outcome == "not_paid" and settlement.about.kind == "payment":
        return Text(
            "⚠️ It was approved, but now {provider} says that it was paid. That counts.", provider=provider
        )
    if settlement.outcome == "paid":
        return Text(
            "⚠️ It was approved, but now {provider} says that it was not paid. Payouts from {shop} are "
            "stopped until the operator has looked.",
            provider=provider,
        )
    return Text(
        "⚠️ It was approved, but now {provider} says that it was paid. Payouts from {shop} are stopped "
        "until the operator has looked.",
        provider=provider,
    )


def _void(settlement: Settlement) -> Text:
    if settlement.because == "guessed":
        return Text("Too many wrong one-time codes were typed for it, so it is void.")
    provider = provider_name(settlement.about.provider)
    if settlement.because == "told":
        return Text(
            "It is void: {provider} has told more of it in the meantime. Please type *review* and look at it "
            "again.",
            provider=provider,
        )
    if settlement.about.state == "succeeded":
        return Text(
            "It is void: {provider} has said in the meantime that it was paid. Nothing is left to do.",
            provider=provider,
        )
    return Text(
        "It is void: {provider} has said in the meantime that it was not paid. Nothing is left to do.",
        provider=provider,
    )
