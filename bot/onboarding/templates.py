"""Templates: which messages take one at Meta, which of those Meta has, and what is to be made there."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from bot.doctor.templates import NEEDED, at_meta, fits
from bot.http import open_session
from bot.onboarding.asker import Asker, one_of
from bot.onboarding.files import Draft, toml
from bot.onboarding.meta import account_of
from bot.onboarding.shop import added
from bot.sending.purposes import Purpose
from bot.settings import Settings
from bot.template_words import WORDS
from bot.whatsapp.templates import TEMPLATES
from services.languages import LANGUAGES
from services.people.file_parts import TenantFile, WhatsAppPart

_KEY = "whatsapp.templates"
_WHY = """
Templates. A shop may write freely to people for 24 hours after they wrote. Later a message goes by a template
that Meta has approved, and waits until they write where there is none. The file names none yet for these:"""
_WHEN = {
    Purpose.WITHDRAWAL_REQUEST: "an approver is asked for a decision",
    Purpose.WITHDRAWAL_OUTCOME: "what became of a withdrawal",
    Purpose.RECEIPT: "a customer's payment has arrived",
    Purpose.PAYMENT: "what else became of a payment",
    Purpose.PAYMENT_REQUEST: "the shop asks a customer to pay",
    Purpose.ORDER: "an order is handed over or cancelled",
    Purpose.ACCOUNT: "somebody's saved methods or rights have changed",
    Purpose.STAFF: "what those who run the shop must know",
    Purpose.SUMMARY: "sales, and the day",
}
Named = dict[str, list[str]]  # of one purpose: the languages that fit, by the template's name


def templates(asker: Asker, settings: Settings, draft: Draft) -> None:
    """Those that the file names are kept."""
    known = draft.file.whatsapp if draft.file else None
    if known is None or not (missing := [each for each in TEMPLATES if each not in known.templates]):
        return
    if (told := asker.table(_KEY)) is not None:
        _add(asker, draft, {key: entry for key, entry in told.items() if key not in known.templates})
        return
    asker.say(_WHY)
    for purpose in missing:
        asker.say(f"  {purpose:20}{_WHEN[purpose]}{' (needed to go live)' if purpose in NEEDED else ''}")
    question = "  Look at which of them Meta has for this account?"
    if known.waba_id is None or known.access_token is None or not asker.confirm(_KEY, question, default=True):
        return
    listed = asyncio.run(_listed(settings, known))
    if isinstance(listed, str):
        asker.say(f"  They could not be looked at ({listed}): doctor looks again later.")
    else:
        _fill_in(asker, draft, missing, listed)


def _fill_in(asker: Asker, draft: Draft, missing: list[Purpose], listed: list[Any]) -> None:
    language = draft.file.tenant.language if draft.file else "en"
    part = {}
    for purpose in missing:
        found = _fitting(purpose, listed)
        if name := _chosen(asker, purpose, found):
            part[purpose.value] = _entry(name, found[name], language)
        elif not found:
            for why in _unfit(purpose, listed):
                asker.say(f"  Not yet: {why}.")
    if not part:
        asker.say("  Meta has none yet that fits. What to make there is told in the end.")
        return
    for key, entry in part.items():
        asker.say(f"  {key:20}{entry['name']} in {', '.join([entry['language'], *entry['languages']])}")
    if asker.confirm(f"{_KEY}.write", "  Write these into the file?", default=True):
        _add(asker, draft, part)


def _add(asker: Asker, draft: Draft, part: Mapping[str, Any]) -> None:
    """A table for each, so that more of them can be added later."""
    for key, entry in part.items():
        if not isinstance(entry, Mapping):
            asker.refused(f"{_KEY}.{key}", "it is a table with a name and a language")
        elif not added(asker, draft, _KEY, f"[{_KEY}.{key}]", entry):
            asker.say(f"  Write it into [whatsapp] by hand, beside the others: {key} = {toml(entry)}")


async def _listed(settings: Settings, known: WhatsAppPart) -> list[Any] | str:
    """What Meta has; or why that is not known."""
    token = known.access_token.get_secret_value() if known.access_token else ""
    async with open_session() as http:
        url = f"{account_of(settings, http).graph}/{known.waba_id}/message_templates"
        return await at_meta(http, url, token)


def _fitting(purpose: Purpose, listed: list[Any]) -> Named:
    """Approved, and with the parameters and buttons that are sent."""
    found: Named = {}
    for each in listed:
        match each:
            case {"name": str(name), "language": str(language)} if language.partition("_")[0] in LANGUAGES:
                if not list(fits(TEMPLATES[purpose], name, each)):
                    found.setdefault(name, []).append(language)
    return found


def _unfit(purpose: Purpose, listed: list[Any]) -> Iterator[str]:
    """What is so with those that are called so, and are not sent."""
    for each in listed:
        match each:
            case {"name": str(name), "language": str(language)} if purpose.value in name:
                for finding in fits(TEMPLATES[purpose], f"{name} in {language}", each):
                    yield finding.what


def _chosen(asker: Asker, purpose: Purpose, found: Named) -> str:
    """By its name; where none is called so and others would fit, somebody says which. Empty: none."""
    called = sorted((name for name in found if purpose.value in name), key=len)
    others = [name for name in found if not any(each.value in name for each in TEMPLATES)]
    if called or not others or not asker.present:
        return called[0] if called else ""
    question = f"  For {purpose}, one of these: {', '.join(others)} (Enter: none)"
    return asker.ask(f"{_KEY}.{purpose}", question, "", check=one_of("", *others))


def _entry(name: str, languages: list[str], own: str) -> dict[str, Any]:
    """The shop's own language first, which is spoken to whom none of the others is."""
    ordered = sorted(languages, key=lambda each: each.partition("_")[0] != own)
    return {"name": name, "language": ordered[0], "languages": ordered[1:]}


def to_make(file: TenantFile) -> Iterator[str]:
    """What is still to be made at Meta, line by line, in the shop's language."""
    named = file.whatsapp.templates if file.whatsapp else {}
    missing = [purpose for purpose in TEMPLATES if purpose not in named]
    if not missing:
        return
    language = file.tenant.language
    yield "  Meta (WhatsApp Manager, Message templates, Create): these, in the category Utility, with these"
    yield "  words or your own. Once Meta has approved them, run this command again: it fills their names in."
    for purpose in sorted(missing, key=lambda each: each not in NEEDED):
        words = WORDS[purpose].get(language) or WORDS[purpose]["en"]
        buttons = f"   quick replies: {', '.join(words.buttons)}" if words.buttons else ""
        needed = ", needed to go live" if purpose in NEEDED else ""
        yield f"    {purpose} ({language if language in WORDS[purpose] else 'en'}{needed}){buttons}"
        yield from (f"      {line}" for line in words.body.splitlines())
