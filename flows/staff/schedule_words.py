"""Schedule words: a schedule in words: when, how much, where it stands, what came of it."""

from datetime import date

from flows.staff.shown import rail_shown
from flows.text import Text
from services.news.schedules import Run, Schedule

_DAYS = (
    Text("Monday"),
    Text("Tuesday"),
    Text("Wednesday"),
    Text("Thursday"),
    Text("Friday"),
    Text("Saturday"),
    Text("Sunday"),
)
_SKIPPED = {
    "nothing": Text("there was nothing to pay"),
    "limit": Text("a limit was used up"),
    "stopped": Text("payouts were stopped"),
    "blocked": Text("nothing leaves at that hour"),
    "owed": Text("money was owed"),
    "closed": Text("this way out was closed"),
    "approvals": Text("it took more approvals than it has"),
    "new": Text("the destination was too new"),
    "approver": Text("who approved it may no longer do so"),
    "maker": Text("who asked for it may no longer do so"),
    "destination": Text("payouts usually go elsewhere now"),
}


def lines(schedule: Schedule) -> tuple[Text, ...]:
    """What is approved of it."""
    return (
        Text("{when} at {hour}:00", when=when(schedule.every, schedule.days), hour=f"{schedule.hour:02}"),
        Text("All above {keep}, at most *{most}* each time", keep=schedule.keep, most=schedule.most),
        Text("To: {destination}", destination=rail_shown(schedule.method_type, schedule.destination)),
        Text("Until {day}", day=written(schedule.last_day)),
    )


def when(every: str, days: tuple[int, ...]) -> Text:
    match every:
        case "day":
            return Text("Every day")
        case "week":
            return Text("Each week:\n{days}", days=tuple(_DAYS[day - 1] for day in days))
    return Text("Each month on {days}", days=", ".join(map(str, days)))


def written(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def stands(schedule: Schedule) -> Text:
    match schedule.state:
        case "pending":
            return Text("It waits for another person's approval until {until}.", until=schedule.expires_at)
        case "active":
            return Text("It comes up next on {at}.", at=schedule.next_at)
        case "stopped":
            return Text("It is stopped. An owner can let it go on.")
        case "resting":
            return Text("It rests: {because}. Ask for a new one.", because=_because(schedule.because))
        case "ended":
            return Text("Its last day is over.")
        case "rejected":
            return Text("It was rejected.")
        case "expired":
            return Text("Nobody approved it in time.")
    return Text("It was cancelled.")


def runs(schedule: Schedule) -> tuple[Text, ...]:
    return tuple(_run(each) for each in schedule.runs)


def skipped(because: str | None) -> Text:
    return Text("Nothing was paid: {because}. It comes up again as usual.", because=_because(because))


def _run(run: Run) -> Text:
    if run.outcome == "made":
        return Text("{day}: paid out", day=written(run.day))
    return Text("{day}: skipped, {because}", day=written(run.day), because=_because(run.because))


def _because(because: str | None) -> Text:
    return _SKIPPED.get(because or "", Text("{because}", because=because or "-"))
