"""Change shown: a change of settings in words."""

from flows.staff.change_words import NONE, limit, value, way
from flows.staff.shown import rail_shown
from flows.text import Text
from services.news.settings import Change


def what(change: Change) -> tuple[Text, ...]:
    """What becomes another thing, and what it was."""
    match change.kind:
        case "destination":
            return (_destination(change),)
        case "staff":
            return (_staff(change),)
        case "fees":
            new, old = (value("fees", told.get("bands", [])) for told in (change.after, change.before))
            called = Text("Fee of {way}", way=way(change.after["method_type"]))
            return (Text("{what}, new:\n{new}\nUntil now:\n{old}", what=called, new=new, old=old),)
        case "resume":
            return (Text("Payouts go on"),)
    return tuple(_limit(key, new, change.before.get(key, NONE)) for key, new in change.after.items())


def _destination(change: Change) -> Text:
    new, old = (
        rail_shown(told["method_type"], told["destination"]) if "destination" in told else Text("none")
        for told in (change.after, change.before)
    )
    return Text("Payout destination: {new}, until now {old}", new=new, old=old)


def _limit(key: str, new: object, old: object) -> Text:
    called, told, until_now = limit(key), value(key, new), value(key, old)
    if isinstance(told, tuple) or isinstance(until_now, tuple):
        return Text("{what}, new:\n{new}\nUntil now:\n{old}", what=called, new=told, old=until_now)
    return Text("{limit}: *{new}*, until now {old}", limit=called, new=told, old=until_now)


def _staff(change: Change) -> Text:
    name, new = change.after["name"], change.after.get("rights", NONE)
    if not change.before:
        phone = change.after.get("phone", "")
        return Text("New on the staff: *{name}* {phone}, as {new}", name=name, phone=phone, new=new)
    old = change.before.get("rights", "")
    if new == NONE:
        return Text("*{name}* leaves the staff, until now {old}", name=name, old=old)
    return Text("*{name}* works as {new}, until now {old}", name=name, new=new, old=old)


def approvals(change: Change) -> tuple[Text, ...]:
    """Where it takes several: who has given theirs."""
    if change.needed == 1 or change.state != "pending":
        return ()
    given = len(change.approved_by)
    if not given:
        return (Text("Approvals: {given} of {needed}", given=given, needed=change.needed),)
    names = ", ".join(change.approved_by.values())
    return (
        Text("Approvals: {given} of {needed}, by {names}", given=given, needed=change.needed, names=names),
    )


def stands(change: Change) -> Text:
    """Where it is, and what comes next."""
    match change.state:
        case "pending" if change.cools:
            return Text(
                "It waits for another person's approval until {until}, and then for 24 hours.",
                until=change.expires_at,
            )
        case "pending":
            return Text("It waits for another person's approval until {until}.", until=change.expires_at)
        case "cooling":
            return Text(
                "It is approved, and holds from {at}. Until then an owner or {maker} can take it back: if "
                "you did not expect it, do that.",
                at=change.due_at or change.expires_at,
                maker=change.maker,
            )
        case "done":
            return Text("✅ It holds now.")
        case "undone":
            return Text("The operator has set it back.")
        case "void":
            return Text("It does not hold. {reason}", reason=_because(change))
    return _ended(change)


def _ended(change: Change) -> Text:
    match change.state:
        case "rejected":
            return Text("It was rejected. Nothing changes.")
        case "expired":
            return Text("Nobody approved it in time. Nothing changes.")
    return Text("It was taken back. Nothing changes.")


def _because(change: Change) -> Text:
    match change.because:
        case "approver":
            return Text("Who approved it may no longer approve.")
        case "maker":
            return Text("{maker} may no longer ask for it.", maker=change.maker)
        case "two_people":
            return Text("Too few people would be left to ask for and approve withdrawals.")
        case "guessed":
            return Text("Too many wrong one-time codes were typed for it.")
    return Text("What it changes was changed in the meantime.")
