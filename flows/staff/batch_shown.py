"""Batch shown: a file of withdrawals in words: what it comes to, what is to be looked at, where it stands."""

from flows.refusals import provider_name
from flows.staff.batch_words import fault
from flows.staff.limited import of_many
from flows.step import Step
from flows.text import Text
from services.news.batches import Batch, BatchRead, Sum

_WAYS = {"bank_transfer": Text("Bank"), "till": Text("Till")}
_MOST = 5  # lines that are named one by one


class OfBatch(Step):
    """Each batch is a thread of its own."""

    batch: Batch

    @property
    def thread(self) -> str:
        return f"t{self.batch.id.hex}"


def lines(batch: Batch) -> tuple[Text, ...]:
    """What it comes to, by rail, and what should be looked at twice."""
    told = [
        Text(
            "one withdrawal, *{amount}*",
            "{count} withdrawals, *{amount}*",
            count=batch.count,
            amount=batch.amount,
        ),
        *(_by_way(each) for each in batch.sums),
        Text("Fees: {fee}", fee=batch.fee),
        Text("After the fees: *{net}*", net=batch.net),
    ]
    return (*told, *_warnings(batch))


def _by_way(each: Sum) -> Text:
    way = _WAYS.get(each.of, provider_name(each.of))
    return Text("{way}: {count}, {amount}", way=way, count=each.count, amount=each.amount)


def _warnings(batch: Batch) -> list[Text]:
    told = []
    if batch.seen_at is not None:
        told.append(Text("⚠️ The very same file was sent on {at}.", at=batch.seen_at))
    told += [
        Text("⚠️ Line {line} repeats line {earlier}.", line=each.line, earlier=each.earlier)
        for each in batch.repeated[:_MOST]
    ]
    if len(batch.repeated) > _MOST:
        told.append(Text("⚠️ {count} lines repeat earlier ones in all.", count=len(batch.repeated)))
    if batch.new_destinations:
        told.append(Text("⚠️ Some of the destinations are new."))
    return [*told, *(of_many(flag, batch.maker) for flag in batch.flags)]


def stands(batch: Batch) -> Text:
    """Where it is, and what comes next."""
    match batch.state:
        case "pending":
            return Text("It waits for another person's approval until {until}.", until=batch.expires_at)
        case "running":
            return Text("It is approved, and is being paid out. {lines}", lines=_ends(batch))
        case "done":
            return Text("✅ Every line has come to its end. {lines}", lines=_ends(batch))
        case "taken" | "draft" | "faulty":
            return Text("Nobody was asked to approve it. Send the file again to do that.")
        case "rejected":
            return Text("It was rejected. Nothing of it is paid.")
        case "expired":
            return Text("Nobody decided in time. Nothing of it is paid.")
    return Text("It was taken back. Nothing of it is paid.")


def _ends(batch: Batch) -> Text:
    by = {each.of: each for each in batch.stands}
    paid = by.get("completed")
    going = sum(by[each].count for each in ("pending", "processing") if each in by)
    return Text(
        "Paid: {paid}, on the way: {going}, not paid: {failed}.",
        paid=paid.count if paid else 0,
        going=going,
        failed=sum(each.count for each in batch.stands) - going - (paid.count if paid else 0),
    )


def faults(told: BatchRead) -> Text:
    """Why nothing was started, and what to do."""
    if told.lost:
        return Text("I could not get {name} from WhatsApp. Please send it again.", name=told.batch.name)
    if told.owed is not None:
        return Text(
            "Nothing was started: {shop} owes {owed}, since a payment was taken back. The next sales pay it; "
            "send the file again then.",
            owed=told.owed,
        )
    if told.required is not None:
        return Text(
            "Nothing was started: {name} takes {required}, and {available} is available.",
            name=told.batch.name,
            required=told.required,
            available=told.available,
        )
    more = told.count - len(told.faults)
    listed = [fault(each) for each in told.faults]
    listed += [Text("And {count} more.", count=more)] if more else []
    return Text(
        "Nothing of {name} was started. Mend this, and send the file again:\n{faults}",
        name=told.batch.name,
        faults=tuple(listed),
    )
