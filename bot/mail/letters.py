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
from flows.staff.letters import Alert, Letter, alerts, words_of
from flows.text import render

_POLICY = SMTP.clone(cte_type="7bit")
_MOST_OF_A_SUBJECT, _MOST_OF_A_FACT, _MOST_ENTRIES = 120, 200, 50
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_STARS = re.compile(r"(?<!\*)\*(?!\*)")  # bold in a chat; several are a mask
_GUIDE = "docs/operating.md"

# The operators' alone, in English as all that they are told. Of others the guide tells by the name.
SAYS: Mapping[str, str] = {
    "audit.broken": "The chain of the audit is broken.",
    "events.parked": "Events failed again and again and wait for somebody: main.py events list",
}


class Told(NamedTuple):
    """An entry of the audit, of the tenant called so."""

    at: datetime
    slug: str
    name: str
    action: str
    target: str
    facts: Mapping[str, Any]


def to_operators(told: Sequence[Told], more: int) -> tuple[str, str]:
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
    words = words_of(told.action)
    says = SAYS.get(told.action) or (render(words, "en") if words else None)
    lines += [says] if says else []
    lines += [f"of: {told.target}", *_facts(told)]
    return "\n  ".join(_line(redacted(line)) for line in lines)


def to_staff(told: Sequence[Told], more: int, language: str, timezone: str) -> tuple[str, str]:
    """The same of one shop, for one of its people."""
    entries = [Alert(each.at, each.action, (f"id: {each.target}", *_facts(each, "to_do"))) for each in told]
    return said(alerts(entries, more, told[0].name), language, timezone)


def said(letter: Letter, language: str, timezone: str) -> tuple[str, str]:
    """Subject and text."""
    subject, *parts = (render(each, language, timezone) for each in (letter.subject, *letter.parts))
    return subject, "\n\n".join(plain(part) for part in parts)


def _facts(told: Told, *less: str) -> list[str]:
    """In the audit's own words, and nothing that the log would not show. `less`: in a language, or a sum of
    what is there already."""
    facts = {name: value for name, value in told.facts.items() if name not in ("digest", *less)}
    return [_line(redacted(f"{name}: {_fact(value)}")) for name, value in redact(None, "", facts).items()]


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
