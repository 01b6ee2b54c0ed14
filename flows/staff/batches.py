"""Batches: one of the staff sends a file of withdrawals, and another person decides over all of it.

Each batch is a thread of its own.

Batches        -> BatchShown
BatchReview    -> BatchShown | BatchDropped
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.reply import SentFile
from flows.staff.batch_decide import BatchShown, look, short, shown
from flows.staff.batch_shown import OfBatch, faults, lines
from flows.staff.deciding import Cancel
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.ids import new_id
from services.news.batches import Batch, BatchAsked, BatchMoved, BatchRead, BatchSelfApprovalTried
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE

SEE = frozenset({INITIATE, APPROVE, VIEW_FINANCE})


class AskForApproval(Choice):
    tap_only = True
    label = Text("Ask for approval")


@dataclass(frozen=True)
class LookAtBatch(Choice):
    exact = True
    batch: Batch

    @property
    def label(self) -> Text:
        return Text("{amount} {reference}", amount=self.batch.amount, reference=short(self.batch))

    @property
    def note(self) -> Text | None:
        return Text("Asked by {maker} on {at}", maker=self.batch.maker, at=self.batch.created_at)


class Batches(Step):
    batches: tuple[Batch, ...]

    def says(self) -> Text:
        return Text("These are the latest files of withdrawals from {shop}. Choose one to see it.")

    def choices(self) -> tuple[Choice, ...]:
        return tuple(LookAtBatch(each) for each in self.batches)

    def menu(self) -> Text | None:
        return Text("Choose file")

    async def hears(self, answer: LookAtBatch, teller: Teller) -> BatchShown:
        return await look(answer.batch.id, teller)


class NoBatches(Step):
    def says(self) -> Text:
        return Text(
            "To pay many at once, send me a CSV file here. Its first line is: "
            "to,number,bank,name,amount,note\n"
            "Each line after that is a withdrawal, such as: phone,0712345678,,,500,rice\n"
            "The first column is phone, till or bank."
        )


class FileTaken(OfBatch):
    @property
    def waits(self) -> bool:
        return True

    def says(self) -> Text:
        return Text("I'm reading {name}, and will tell you what it comes to.", name=self.batch.name)


class FileFaulty(OfBatch):
    """Why nothing was started."""

    told: BatchRead

    def says(self) -> Text:
        return faults(self.told)


class BatchReview(OfBatch):
    """Nobody has been asked yet."""

    def says(self) -> Text:
        return Text(
            "📄 {name}: {lines}\nAnother person must approve all of it. Nothing is paid before.",
            name=self.batch.name,
            lines=lines(self.batch),
        )

    def choices(self) -> tuple[Choice, ...]:
        return AskForApproval(), Cancel()

    async def hears(self, answer: AskForApproval | Cancel, teller: Teller) -> BatchShown | BatchDropped:
        match answer:
            case AskForApproval():
                return shown(await teller.batches.send(self.batch.id), teller)
            case Cancel():
                return BatchDropped(batch=await teller.batches.drop(self.batch.id))


class BatchDropped(OfBatch):
    def says(self) -> Text:
        return Text("All right, nothing of {name} is paid.", name=self.batch.name)


class BatchTried(Step):
    """To owners: somebody tried to approve their own."""

    batch: Batch

    def says(self) -> Text:
        return Text(
            "⚠️ {maker} tried to approve a file of withdrawals of their own, {name}. It was refused.",
            maker=self.batch.maker,
            name=self.batch.name,
        )


async def batches(teller: Teller, _rest: str = "") -> Batches | NoBatches:
    found = await teller.batches.latest()
    return Batches(batches=found) if found else NoBatches()


async def filed(sent: SentFile, teller: Teller) -> FileTaken:
    return FileTaken(batch=await teller.batches.take(new_id(), sent.name, sent.media))


async def told_read(news: BatchRead, _teller: Teller) -> BatchReview | FileFaulty:
    if news.batch.state == "draft":
        return BatchReview(batch=news.batch)
    return FileFaulty(batch=news.batch, told=news)


async def told_asked(news: BatchAsked, teller: Teller) -> BatchShown:
    return shown(news.batch, teller)


async def told_moved(news: BatchMoved, teller: Teller) -> BatchShown:
    return shown(news.batch, teller).model_copy(update={"by": news.by, "reason": news.reason})


async def told_tried(news: BatchSelfApprovalTried, _teller: Teller) -> BatchTried:
    return BatchTried(batch=news.batch)
