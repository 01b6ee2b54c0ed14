"""Saying: a step's line as a reply, with what can be tapped beside it."""

from dataclasses import replace
from typing import Any

from flows.document import mapped
from flows.pages import MORE, keyed, page_of, pages
from flows.place import Stand
from flows.reply import Option, Reply
from flows.step import Step
from flows.text import Text


def asked(thread: str, stand: Stand, line: Text, *, whole: bool, led: bool, hint: Text | None) -> Reply:
    """What a step asks; `led`: the person has just come here."""
    options = [
        Option(choice=key, label=choice.label, note=choice.note, tap_only=choice.tap_only)
        for key, choice in page_of(stand)
    ]
    if pages(stand.step) > 1:
        options.append(Option(choice=MORE, label=Text("More…")))
    return Reply(
        text=line,
        options=tuple(options),
        menu=stand.step.menu(),
        link=stand.step.link(),
        document=stand.step.document() if led else None,
        image=stand.step.image() if led else None,
        asks_for_number=stand.step.asks_for_number,
        form=stand.step.form(),
        waits=stand.step.waits,
        thread=thread,
        step=type(stand.step).__name__,
        nonce=stand.nonce,
        whole=whole,
        hint=hint,
    )


def told(step: Step, line: Text) -> Reply:
    """What a step says that ends its thread. It has no nonce: what it offers does not grow old."""
    return Reply(
        text=line,
        options=tuple(Option(choice=key, label=choice.label) for key, choice in keyed(step).items()),
        link=step.link(),
        document=step.document(),
        waits=step.waits,
        thread=step.thread,
        step=type(step).__name__,
    )


def filled(reply: Reply, shop: str) -> Reply:
    """With the merchant's name where it says {shop}."""

    def fill(text: Text) -> Text:
        facts = {key: fill_fact(fact) for key, fact in text.facts.items()}
        return Text(text.msgid, text.plural, **{"shop": shop, **facts})

    def fill_fact(fact: Any) -> Any:
        if isinstance(fact, tuple):
            return tuple(map(fill_fact, fact))
        return fill(fact) if isinstance(fact, Text) else fact

    return replace(reply, text=fill(reply.text), document=mapped(reply.document, fill))
