"""Letters: an e-mail of lines. Nothing that a tenant or a customer has written can end a header, and nothing
that the log would not show stands in the text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, NamedTuple
from uuid import UUID

from bot.log import redact, redacted

_POLICY = SMTP.clone(cte_type="7bit")
_MOST_OF_A_SUBJECT, _MOST_OF_A_FACT, _MOST_ENTRIES = 120, 200, 50
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_STARS = re.compile(r"(?<!\*)\*(?!\*)")  # bold in a chat; several are a mask
_GUIDE = "docs/operating.md"

# What is so and what to do, in a sentence. Of others the operator's guide tells by the name.
SAYS: Mapping[str, str] = {
    "withdrawal.failed": "A withdrawal failed, and its amount is in the wallet again.",
    "withdrawal.self_approval": "Somebody tried to approve a withdrawal of their own. It was refused.",
    "withdrawal.unusual": "A withdrawal was asked for that is unlike those before it. Its approvers see why.",
    "withdrawal.codes_guessed": "A withdrawal was canceled after ten wrong one-time codes.",
    "totp.locked": "One-time codes of a person are locked after five wrong ones.",
    "payout.undecided": "Nobody says what became of a payout. Look for it in the provider's own records.",
    "payouts.frozen": "Payouts are stopped until an operator has looked.",
    "payouts.float_short": "The account that payouts are paid from is short. Add money to it.",
    "payment.in_doubt": "A payment was told and is not credited.",
    "payment.paid_twice": "A customer paid twice. The second payment is kept for them.",
    "payment.misconfigured": "A provider refuses the settings: customers cannot pay.",
    "payment.pending_long": "Payments have been under way for more than a day.",
    "payout.pending_long": "Withdrawals have been on their way for more than a day.",
    "refund.pending_long": "Refunds have been on their way for more than a day.",
    "books.breach": "The books break a rule. Payouts of the tenant are stopped.",
    "audit.broken": "The chain of the audit is broken.",
    "events.parked": "Events failed again and again and wait for somebody: main.py events list",
    "provider.down": "A provider leaves calls unanswered. What is due waits.",
    "balance.low": "Less is available in the wallet than the tenant wants.",
    "apikey.expiring": "A key of the API that is in use ends within two weeks.",
    "token.expiring": "The access token of WhatsApp ends within two weeks. Make a new one and apply it.",
    "messages.held": "Messages wait for people to write, since no template can carry them.",
    "messages.stopped": "WhatsApp takes no messages of this tenant: its token may have ended.",
    "identity.changed": "The WhatsApp account of a person has changed.",
}


class Told(NamedTuple):
    """An entry of the audit, of the tenant called so."""

    at: datetime
    slug: str
    name: str
    action: str
    target: str
    facts: Mapping[str, Any]


def alerts(told: Sequence[Told], more: int) -> tuple[str, str]:
    """Subject and text. `more`: how many are not told one by one."""
    kinds = list(dict.fromkeys(each.action for each in told))
    shops = list(dict.fromkeys(each.slug for each in told))
    count = len(told) + more
    which = ", ".join(kinds[:3]) + (", ..." if len(kinds) > 3 else "")  # noqa: PLR2004
    where = shops[0] if len(shops) == 1 else f"{len(shops)} shops"
    subject = f"Lipachat: {count} alert{'' if count == 1 else 's'} of {where}: {which}"
    rest = len(told) - _MOST_ENTRIES + more
    parts = [_entry(each) for each in told[:_MOST_ENTRIES]]
    if rest > 0:
        parts.append(f"And {rest} more, which the audit has.")
    parts.append(f"What each means and what to do about it: {_GUIDE}, Looking after it.")
    return subject, "\n\n".join(parts)


def _entry(told: Told) -> str:
    lines = [f"{told.at:%Y-%m-%d %H:%M:%S} UTC  {told.action}  {told.name} ({told.slug})"]
    lines += [SAYS[told.action]] if told.action in SAYS else []
    lines += [f"of: {told.target}"]
    facts = redact(None, "", {name: value for name, value in told.facts.items() if name != "digest"})
    lines += [f"{name}: {_fact(value)}" for name, value in facts.items()]
    return "\n  ".join(_line(redacted(line)) for line in lines)


def _fact(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_fact(each) for each in value)[:_MOST_OF_A_FACT]
    return str(value)[:_MOST_OF_A_FACT]


def plain(words: str) -> str:
    """What a chat says, without its stars."""
    return "\n".join(_line(redacted(line)) for line in _STARS.sub("", words).splitlines())


def _line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()


def message(
    *, sender: str, to: str, subject: str, text: str, at: datetime, of: Iterable[UUID | int]
) -> EmailMessage:
    """`of`: what it follows from, so that the same one has the same id however often it is sent."""
    letter = EmailMessage(policy=_POLICY)
    letter["From"], letter["To"] = sender, to
    letter["Subject"] = _line(redacted(subject))[:_MOST_OF_A_SUBJECT]
    letter["Date"] = at
    letter["Message-ID"] = f"<{'.'.join(_id(each) for each in of)}@{sender.rpartition('@')[2].rstrip('>')}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text + "\n")
    return letter


def _id(part: UUID | int) -> str:
    return part.hex if isinstance(part, UUID) else str(part)
