"""Letters: what stands in e-mails to the staff, beside what the chat says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from flows.text import Text

_MOST = 20
_MOST_ALERTS = 50

# What an entry of the audit says that somebody has to see, by its action, or by the end of it.
ALERTS: Mapping[str, Text] = {
    "withdrawal.failed": Text("A withdrawal failed, and its amount is in the wallet again."),
    "withdrawal.unusual": Text(
        "A withdrawal was asked for that is unlike those before it. Its approvers see why."
    ),
    "totp.locked": Text("One-time codes of a person are locked after five wrong ones."),
    "payouts.frozen": Text("Payouts are stopped until the operator has looked."),
    "payouts.stopped": Text("Somebody of the shop has stopped all payouts."),
    "payouts.float_short": Text("The account that payouts are paid from is short. Add money to it."),
    "payment.in_doubt": Text("A payment was told and is not credited."),
    "payment.paid_twice": Text("A customer paid twice. The second payment is kept for them."),
    "payment.misconfigured": Text("A provider refuses the settings: customers cannot pay."),
    "payment.by_hand_misfit": Text(
        "Somebody paid by hand with an order's number, and it does not fit. Nothing was credited."
    ),
    "payment.disputed": Text("A customer disputes a payment. Answer it at the provider in time."),
    "payment.dispute_lost": Text("A dispute about a payment was decided against the shop."),
    "payment.taken_back": Text("A provider has taken a payment back to the customer, out of the wallet."),
    "payment.reversal_beyond": Text(
        "A provider says that it has taken back more than was left of a payment. Nothing was booked."
    ),
    "payment.pending_long": Text("Payments have been under way for more than a day."),
    "payout.pending_long": Text("Withdrawals have been on their way for more than a day."),
    "refund.pending_long": Text("Refunds have been on their way for more than a day."),
    "settlement.contradicted": Text(
        "Two people said what became of it, and the provider now says otherwise. Compare with its records."
    ),
    "books.breach": Text("The books break a rule. Payouts are stopped, and the operator looks at it."),
    "books.accepted": Text(
        "Entries of the books were tampered with, and the operator lets payouts go on all the same."
    ),
    "break.reopened": Text(
        "What was closed between a provider and the books has other sums, and is open again."
    ),
    "reconciliation.aged": Text("A provider and the books do not fit together for more than a day."),
    "reconciliation.failed": Text(
        "The books could not be compared with a provider. The operator looks at it."
    ),
    "clearing.aged": Text("Money stands where it should only pass. Compare with the provider's statement."),
    "database.restored": Text("The records were restored from a backup. Nothing is sent by itself."),
    "provider.down": Text("A provider leaves calls unanswered. What is due waits."),
    "balance.low": Text("Less is available in the wallet than the shop wants."),
    "apikey.expiring": Text("A key of the API that is in use ends within two weeks."),
    "token.expiring": Text(
        "The access token of WhatsApp ends within two weeks. The operator makes a new one."
    ),
    "messages.held": Text("Messages wait for people to write, since no template can carry them."),
    "messages.stopped": Text("WhatsApp takes no messages of the shop: its access token may have ended."),
    "identity.changed": Text("The WhatsApp account of a person of the staff has changed. Speak to them."),
    "schedule.rests": Text("A schedule rests. It pays nothing until somebody asks for a new one."),
    "webhook.endpoint_disabled": Text("Webhooks are sent to one address no more, since it takes none."),
}
_CONTRADICTED = Text("A provider contradicts itself about it. Compare with its records.")
_NO_PROOF = Text(
    "What a provider told does not prove it. Nothing was booked by that. Compare with its records."
)
_OTHER_RECEIPT = Text(
    "A provider told of another receipt, or of one that is known already. Look it up there."
)
_PAID_AFTER_ALL = Text("A provider says now that it was paid after all. See that nobody asks for it again.")
_NOTHING_OF_OURS = Text("A provider told of money that went back and fits nothing. Nothing was booked.")
ENDS: Mapping[str, Text] = {
    "self_approval": Text("Somebody tried to approve what they had asked for themselves. It was refused."),
    "codes_guessed": Text("It was canceled after ten wrong one-time codes. Find out who typed them."),
    "undecided": Text("Nobody says what became of it. Look for it in the provider's records."),
    "not_sent": Text("What was approved no longer holds, so nothing was sent. Ask for it again."),
    "misconfigured": Text(
        "A provider refuses the settings, so nothing was sent. The operator corrects them."
    ),
    "needs_attention": Text(
        "A provider wants something of the shop before it goes on. Look into its dashboard."
    ),
    "returned": Text("A provider gave back what it had told as paid. The amount is there again."),
    "amount_mismatch": Text("A provider told of another amount. Nothing was booked."),
    "return_mismatch": Text("A provider gave back another amount than was sent. Nothing was booked."),
    "reference_mismatch": Text(
        "What was told names something else. Nothing was moved, and the operator looks."
    ),
    "unheard_code": Text("A provider gave a reason that nobody knows here. Compare with its records."),
    "contradicted": _CONTRADICTED,
    "failed_after_success": _CONTRADICTED,
    "succeeded_after_failure": _PAID_AFTER_ALL,
    "succeeded_before_return": _PAID_AFTER_ALL,
    "receipt_changed": _OTHER_RECEIPT,
    "receipt_reused": _OTHER_RECEIPT,
    "receipt_told": _OTHER_RECEIPT,
    "without_amount": _NO_PROOF,
    "unproven": _NO_PROOF,
    "return_unproven": _NO_PROOF,
    "reversal_unmatched": _NOTHING_OF_OURS,
    "reversal_unreadable": _NOTHING_OF_OURS,
}


class Letter(NamedTuple):
    subject: Text
    parts: tuple[Text, ...]


class Asked(NamedTuple):
    """`says`: what the chat shows of it."""

    maker: str
    until: datetime
    says: Text


class Alert(NamedTuple):
    """An entry of the audit. `facts`: lines in its own words, which the operator and the API have too."""

    at: datetime
    action: str
    facts: tuple[str, ...]


def words_of(action: str) -> Text | None:
    """None where the name of the action is all that can be said."""
    return ALERTS.get(action) or ENDS.get(action.rpartition(".")[2])


def alerts(told: Sequence[Alert], more: int, shop: str) -> Letter:
    """To one of the shop's staff. `more`: how many are not told one by one."""
    count, rest = len(told) + more, max(len(told) - _MOST_ALERTS, 0) + more
    subject = Text(
        "{shop}: {count} thing needs your attention",
        "{shop}: {count} things need your attention",
        count=count,
        shop=shop,
    )
    left = (Text("And {count} more, which the audit has.", count=rest),) if rest else ()
    named = Text(
        "Names such as {action} are those of the audit: tell them to the operator if you ask for help."
    )
    return Letter(subject, (*map(_alert, told[:_MOST_ALERTS]), *left, named.told(action=told[0].action)))


def _alert(told: Alert) -> Text:
    what = words_of(told.action) or Text("Somebody has to look at this.")
    return Text(
        "{what}\n{at}\n{action}\n{facts}", what=what, at=told.at, action=told.action, facts=told.facts
    )


def decisions_wanted(asked: Sequence[Asked], shop: str) -> Letter:
    """Of one shop's approver; each as the chat tells it. Deciding is the chat's alone, where it is known who
    taps."""
    subject = Text(
        "{shop}: {count} request waits for your decision",
        "{shop}: {count} requests wait for your decision",
        count=len(asked),
        shop=shop,
    )
    where = Text(
        "Open the chat with {shop} in WhatsApp to decide: each of them is shown there too. Nothing is "
        "decided by an answer to this e-mail.",
        shop=shop,
    )
    return Letter(subject, (*(_told(each, shop) for each in asked[:_MOST]), where))


def _told(asked: Asked, shop: str) -> Text:
    return Text(
        "{maker} asks for your decision before {until}:\n{asked}",
        maker=asked.maker,
        until=asked.until,
        asked=asked.says.told(shop=shop),
    )
