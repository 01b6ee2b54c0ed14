"""Limited: what the staff read of the tenant's limits, and what approvers should look at twice."""

from flows.staff.batch_words import fault
from flows.staff.schedule_faults import invalid_schedule
from flows.text import Text, Typed
from services import errors
from services.batches.faults import BatchFaulty
from services.errors import Refusal
from services.errors import limits as limit_errors
from services.errors import settings as setting_errors
from services.errors.schedules import InvalidSchedule
from services.money import Money
from services.news import Flag, Unusual, Withdrawal

THIS_WAY = Text(
    "Payouts from {shop} this way are on hold until the operator has looked into a problem. Please try again "
    "later, or ask for another destination."
)


def staff_name(name: str) -> str | Text:
    """A person may have none."""
    return name or Text("One of the staff")


def worded(refusal: Refusal) -> Text:
    """Of a limit of the tenant's own."""
    match refusal:
        case errors.OverLimit(limit=limit, left=Money() as left, of=of):
            return _over(of, limit, left)
        case limit_errors.TooManyWithdrawals(limit=limit, of="destination"):
            return Text(
                "There may be {limit} withdrawals to one destination in 24 hours, and there were that many. "
                "Choose another one, or wait.",
                limit=limit,
            )
        case limit_errors.TooManyWithdrawals(limit=limit):
            return Text(
                "There may be {limit} withdrawals from {shop} in 24 hours, and there were that many. "
                "Please ask again later.",
                limit=limit,
            )
        case limit_errors.LimitLowered(limit=limit, amount=amount):
            return Text(
                "{amount} was asked for, and by now one withdrawal may be {limit} at most. Reject it, and "
                "have less asked for.",
                amount=amount,
                limit=limit,
            )
        case limit_errors.PayoutsBlocked(until=until):
            return Text(
                "No money leaves {shop} at this hour. You can approve this from {until}.",
                until=until,
            )
        case limit_errors.DestinationCoolingDown(until=until):
            return Text(
                "This withdrawal can be approved from {until}, since its destination is new. "
                "Please try again then.",
                until=until,
            )
        case limit_errors.PayoutsStoppedBy(by=None, at=at):
            return Text("The operator has stopped all payouts from {shop} on {at}.", at=at)
        case limit_errors.PayoutsStoppedBy(by=str(by), at=at):
            return Text(
                "{by} has stopped all payouts from {shop} on {at}. To let them go on, type *freeze*.",
                by=staff_name(by),
                at=at,
            )
        case _:
            return _of_settings(refusal)


def _of_settings(refusal: Refusal) -> Text:
    match refusal:
        case setting_errors.InvalidChange(field=field):
            return _invalid(field)
        case setting_errors.ChangesNothing():
            return Text("It is so already, so nothing is changed.")
        case setting_errors.LeavesNoTwo():
            return Text(
                "Afterwards too few people would be left to ask for and approve withdrawals of {shop}, so it "
                "cannot be changed."
            )
        case setting_errors.OwnRights():
            return Text(
                "This would give rights to yourself, or to who lent you theirs, so another person has to "
                "decide."
            )
        case InvalidSchedule(field=field):
            return invalid_schedule(field)
        case BatchFaulty(faults=faults):
            return Text("Nothing was started. {fault}", fault=fault(faults[0]))
    raise TypeError(f"no words for {type(refusal).__name__}")


def _invalid(field: str) -> Text:
    """What was typed for a setting cannot be; what would do."""
    match field:
        case "blocked_hours":
            return Text("Type the hours like 22:00-05:00.")
        case "approvals_above":
            return Text("Type it like: 2 above 50000; 3 above 1000000.")
        case "fees":
            return Text("The fees of {shop} are the operator's to set. Ask them.")
        case "scopes" | "role":
            return Text(
                "I don't know that right. Choose a role, or type rights such as: finance:view, orders:view."
            )
        case "name" | "phone":
            return Text("That name or number is on the staff already, or is none. Please check it.")
    if field.startswith("bands"):
        return Text("Type a fee like 40, 1.5% or 40 + 1%; by amounts like: 20 up to 1000; 50.")
    return Text("That cannot be set so. Please look at it again.")


def _over(of: str, limit: Money, left: Money) -> Text:
    match of:
        case "destination":
            return Text(
                "One destination may be sent {limit} in 24 hours, and {left} of it is left. "
                "Choose a smaller amount or another destination.",
                limit=limit,
                left=left,
            )
        case "maker":
            return Text(
                "You may ask for {limit} in 24 hours, and {left} of it is left. "
                "Choose a smaller amount, or let somebody else ask.",
                limit=limit,
                left=left,
            )
    return Text(
        "{limit} may be withdrawn from {shop} in 24 hours, and {left} of it is left. "
        "Choose a smaller amount.",
        limit=limit,
        left=left,
    )


def unusual(withdrawal: Withdrawal) -> tuple[Text, ...]:
    """A line each."""
    return tuple(flagged(each, Typed(withdrawal.maker)) for each in withdrawal.flags)


def flagged(flag: Flag, maker: str) -> Text:
    match flag.because:
        case Unusual.LARGE:
            return Text("⚠️ It is much larger than usual, which is {usual}.", usual=flag.usual)
        case Unusual.NEW_AND_LARGE:
            return Text("⚠️ It is large for a destination that is new.")
        case Unusual.FIRST_BY_MAKER:
            return Text("⚠️ {maker} has not asked for a withdrawal in the last 30 days.", maker=maker)
        case Unusual.HOUR:
            return Text("⚠️ It was asked for at an unusual hour.")
        case Unusual.MANY:
            return Text("⚠️ {times} withdrawals were asked for within an hour.", times=flag.count)
        case Unusual.OWN_PHONE:
            return Text("⚠️ It goes to the phone of {maker}, who asks for it.", maker=maker)
        case Unusual.REJECTED_BEFORE:
            return Text("⚠️ One to the same destination was rejected in the last 30 days.")


def of_many(flag: Flag, maker: str) -> Text:
    """Of a file of withdrawals."""
    match flag.because:
        case Unusual.LARGE:
            return Text("⚠️ Lines much larger than usual: {times}.", times=flag.count)
        case Unusual.NEW_AND_LARGE:
            return Text("⚠️ Lines that are large for a destination that is new: {times}.", times=flag.count)
        case Unusual.OWN_PHONE:
            return Text(
                "⚠️ Lines that go to the phone of {maker}, who asks for it: {times}.",
                maker=maker,
                times=flag.count,
            )
        case Unusual.REJECTED_BEFORE:
            return Text("⚠️ Lines to where one was rejected in the last 30 days: {times}.", times=flag.count)
    return flagged(flag, maker)
