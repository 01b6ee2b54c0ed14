"""Answering: one of the staff answers a customer instead of the bot.

Each customer is a thread of its own. What is typed goes to the customer only as long as nothing else has been
done since (`any_words`): whoever has turned to a withdrawal meanwhile sends them no amount.

CustomerWaits -> Answering | AnotherAnswers | CustomerLeft
Answering     -> Answering | AnswerLater | Answered | CustomerLeft
AnswerLater   -> Answering | AnswerLater | Answered | AnotherAnswers | CustomerLeft
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flows.reply import Said
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text, Typed
from services.errors.handoff import AnsweredBy, HandoffOver
from services.news.handoff import CustomerGone, CustomerWrote, Ended, PersonWanted


class Answer(Choice):
    label = Text("Answer")


class Done(Choice):
    label = Text("Done")


class Cancel(Choice):
    label = Text("Cancel")


def quoted(words: str) -> tuple[Typed, ...]:
    """Every line marked as another's, so that none can pass for one of ours."""
    return tuple(Typed(f"> {line}") for line in words.splitlines())


class _OfCustomer(Step):
    handoff_id: UUID
    customer: str

    @property
    def thread(self) -> str:
        return f"h{self.handoff_id.hex}"

    def concerns(self, news: Any) -> bool:
        return bool(news.handoff_id == self.handoff_id)


class CustomerWaits(_OfCustomer):
    words: str

    def says(self) -> Text:
        name, words = self.customer or Text("A customer"), quoted(self.words)
        if not self.words:
            return Text("*{customer}* wants to talk to a person of {shop}.", customer=name)
        return Text("*{customer}* wants to talk to a person of {shop}:\n{words}", customer=name, words=words)

    def choices(self) -> tuple[Choice, ...]:
        return (Answer(),)

    async def hears(
        self,
        answer: Answer,  # noqa: ARG002  the only choice
        teller: Teller,
    ) -> Answering | AnotherAnswers | CustomerLeft:
        return await take(self.handoff_id, self.customer, teller)


class _WithCustomer(_OfCustomer):
    """`words`: what they wrote, as long as it was not shown."""

    words: tuple[str, ...] = ()

    def once_said(self) -> Step:
        return self.model_copy(update={"words": ()}) if self.words else self

    def _wrote(self) -> Text | None:
        if not self.words:
            return None
        name = self.customer or Text("A customer")
        return Text("*{customer}*:\n{words}", customer=name, words=quoted("\n".join(self.words)))


class Answering(_WithCustomer):
    any_words = quiet = True

    def says(self) -> Text:
        asking = Text("What you type now goes to {customer}.", customer=self.customer or Text("A customer"))
        wrote = self._wrote()
        return asking if wrote is None else Text("{wrote}\n\n{asking}", wrote=wrote, asking=asking)

    def choices(self) -> tuple[Choice, ...]:
        return Done(), Cancel()

    async def hears(
        self, answer: Said | Done | Cancel | CustomerWrote, teller: Teller
    ) -> Answering | AnswerLater | Answered | CustomerLeft:
        match answer:
            case Said(text=words):
                return await self._send(words, teller)
            case Done():
                return await close(self.handoff_id, self.customer, teller)
            case Cancel():
                return AnswerLater(handoff_id=self.handoff_id, customer=self.customer)
            case CustomerWrote(words=words):
                return Answering(handoff_id=self.handoff_id, customer=self.customer, words=(words,))

    async def _send(self, words: str, teller: Teller) -> Answering | CustomerLeft:
        """WhatsApp's ticks say that it was read; only a refusal is told."""
        try:
            if words.strip():
                await teller.answer_customer(self.handoff_id, words)
        except HandoffOver:
            return _left(self.handoff_id, self.customer)
        return self


class AnswerLater(_WithCustomer):
    def says(self) -> Text:
        asking = Text("{customer} is waiting for your answer.", customer=self.customer or Text("A customer"))
        wrote = self._wrote()
        return asking if wrote is None else Text("{wrote}\n\n{asking}", wrote=wrote, asking=asking)

    def choices(self) -> tuple[Choice, ...]:
        return Answer(), Done()

    async def hears(
        self, answer: Answer | Done | CustomerWrote, teller: Teller
    ) -> Answering | AnswerLater | Answered | AnotherAnswers | CustomerLeft:
        match answer:
            case Answer():
                return await take(self.handoff_id, self.customer, teller)
            case Done():
                return await close(self.handoff_id, self.customer, teller)
            case CustomerWrote(words=words):
                return AnswerLater(handoff_id=self.handoff_id, customer=self.customer, words=(words,))


class Answered(_OfCustomer):
    def says(self) -> Text:
        return Text("Done: I answer {customer} again.", customer=self.customer or Text("A customer"))


class AnotherAnswers(_OfCustomer):
    by: str

    def says(self) -> Text:
        return Text(
            "{by} is answering {customer} already.", by=self.by, customer=self.customer or Text("A customer")
        )


class CustomerLeft(_OfCustomer):
    because: Ended

    def says(self) -> Text:
        name = self.customer or Text("A customer")
        match self.because:
            case Ended.QUIET:
                return Text(
                    "You have not written to {customer} for a while, so I answer again.", customer=name
                )
            case Ended.IDENTITY:
                return Text(
                    "⚠️ The WhatsApp number or phone of {customer} has changed: it may be another person now. "
                    "I answer again.",
                    customer=name,
                )
        return Text("{customer} is talking with me again.", customer=name)


async def take(handoff_id: UUID, customer: str, teller: Teller) -> Answering | AnotherAnswers | CustomerLeft:
    """The first of the staff who taps answers."""
    try:
        taken = await teller.take_customer(handoff_id)
    except AnsweredBy as another:
        return AnotherAnswers(handoff_id=handoff_id, customer=customer, by=another.by)
    except HandoffOver:
        return _left(handoff_id, customer)
    return Answering(handoff_id=handoff_id, customer=taken.customer, words=taken.words)


def _left(handoff_id: UUID, customer: str) -> CustomerLeft:
    return CustomerLeft(handoff_id=handoff_id, customer=customer, because=Ended.CUSTOMER)


async def close(handoff_id: UUID, customer: str, teller: Teller) -> Answered:
    await teller.close_customer(handoff_id)
    return Answered(handoff_id=handoff_id, customer=customer)


async def told_wanted(news: PersonWanted, _teller: Teller) -> CustomerWaits:
    return CustomerWaits(handoff_id=news.handoff_id, customer=news.customer, words=news.words)


async def told_wrote(news: CustomerWrote, _teller: Teller) -> AnswerLater:
    return AnswerLater(handoff_id=news.handoff_id, customer=news.customer, words=(news.words,))


async def told_gone(news: CustomerGone, _teller: Teller) -> CustomerLeft:
    return CustomerLeft(handoff_id=news.handoff_id, customer=news.customer, because=news.because)
