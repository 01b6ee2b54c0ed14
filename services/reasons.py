"""Reasons: why money did not move, in our words; the chat has a sentence for each."""

from enum import StrEnum


class Unpaid(StrEnum):
    """Why a payment did not go through, in our words; the chat has a sentence for each."""

    CANCELLED = "cancelled"  # the person said no on the phone
    UNREACHABLE = "unreachable"  # the prompt did not reach the phone, or nobody answered
    EXPIRED = "expired"  # answered too late, or never
    INSUFFICIENT_FUNDS = "insufficient_funds"
    WRONG_PIN = "wrong_pin"
    LIMIT = "limit"  # the customer's own M-Pesa limit
    BUSY = "busy"  # another M-Pesa session is open on the phone, or the same amount just before
    LOCKED = "locked"  # the customer's M-Pesa is locked
    PROVIDER = "provider"  # the provider is down or refuses without a reason of the customer's
    SHOP = "shop"  # the shop's own settings at the provider are wrong: alerted
    PAGE = "page"  # the page's time is over
    RESTING = "resting"  # the provider leaves calls unanswered, and was not asked
    NOT_ASKED = "not_asked"  # we were away for too long to ring the phone now
    RECEIVER = "receiver"  # of a payout: who should receive it cannot
    DECLINED = "declined"  # the bank said no to the card
    CARD = "card"  # the card has expired, or is not known to the provider any more


class Doubt(StrEnum):
    """Why a success that was told of a payment is not credited, or not yet."""

    UNCONFIRMED = "unconfirmed"  # it is large, so a query has to say so too
    CONTRADICTED = "contradicted"  # a no was told as well
    OTHER_AMOUNT = "other_amount"  # only a callback with the right amount can clear it


class Unsent(StrEnum):
    """Why a withdrawal was not paid out, in our words; the chat has a sentence for each."""

    RECEIVER = "receiver"  # not registered, wrong, closed or too full
    LIMIT = "limit"  # the provider's or the receiver's
    PROVIDER = "provider"  # down, or refuses without a reason of the receiver's
    TOO_LATE = "too_late"  # it was approved too long ago
    ALTERED = "altered"  # it is not what was approved
    DESTINATION = "destination"  # where payouts usually go was changed while it waited
    GUESSED = "guessed"  # too many wrong one-time codes were typed for it
    APPROVER = "approver"  # who approved it may no longer do so, or is not enough any more
    SETTLED = "settled"  # two people have found that it was not paid
    DENIED = "denied"  # two people had found that it was paid, and the provider says that it failed
    RETURNED = "returned"  # it was paid, and the provider gave it back


class Held(StrEnum):
    """Why an approved payout is not sent yet."""

    STOPPED = "stopped"  # payouts are stopped
    HOURS = "hours"  # the tenant has closed these hours
    RAIL = "rail_stopped"  # this way out is
    FLOAT = "float"  # the account at the provider that it is paid from is short
    TURN = "turn"  # another one is under way, and of this way out only one may be


class Frozen(StrEnum):
    """Why a tenant's payouts are stopped, or those of one way out."""

    SETTINGS = "settings"  # the provider refuses the settings that payouts use
    FUNDS = "funds"  # the account at the provider that they are paid from is short
    CONTRADICTION = "contradiction"  # of one payout a success and a failure were told
    OPERATOR = "operator"  # somebody has stopped them by hand
    BOOKS = "books"  # they do not prove themselves
    RESTORED = "restored"  # the database is a backup: what it would send may have been sent since


class Unusual(StrEnum):
    """Why the approvers of a withdrawal should look twice; the chat has a sentence for each."""

    LARGE = "larger_than_usual"  # than three times the median of 30 days
    NEW_AND_LARGE = "new_destination_and_large"  # above that median, or half of the wallet
    FIRST_BY_MAKER = "first_by_maker"  # in 30 days
    HOUR = "unusual_hour"
    MANY = "many_within_an_hour"
    OWN_PHONE = "phone_of_maker"
    REJECTED_BEFORE = "rejected_before"  # a request to the same destination, in 30 days
