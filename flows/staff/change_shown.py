"""Change shown: a change of settings in words."""

from flows.text import Text
from services.news.settings import Change


def what(change: Change) -> tuple[Text, ...]:
    """A line for each thing that becomes another one."""
    match change.kind:
        case "destination":
            new, old = change.after["destination"], change.before.get("destination", "-")
            return (Text("Payout destination: {new}, until now {old}", new=new, old=old),)
        case "staff":
            return (_staff(change),)
        case "resume":
            return (Text("Payouts go on"),)
    return tuple(
        Text("{limit}: *{new}*, until now {old}", limit=limit(key), new=new, old=change.before.get(key, "-"))
        for key, new in change.after.items()
    )


def _staff(change: Change) -> Text:
    name, new = change.after["name"], change.after.get("rights", "-")
    if not change.before:
        phone = change.after.get("phone", "")
        return Text("New on the staff: *{name}* {phone}, as {new}", name=name, phone=phone, new=new)
    old = ", ".join(filter(None, (change.before.get("role"), change.before.get("rights"))))
    if new == "-":
        return Text("*{name}* leaves the staff, until now {old}", name=name, old=old)
    return Text("*{name}* works as {new}, until now {old}", name=name, new=new, old=old)


def limit(key: str) -> Text:  # noqa: C901  a case a limit
    match key:
        case "per_withdrawal":
            return Text("One withdrawal")
        case "per_day":
            return Text("All in 24 hours")
        case "per_destination":
            return Text("One place, 24 hours")
        case "per_maker":
            return Text("Each person, 24 hours")
        case "count_per_day":
            return Text("How many in 24 hours")
        case "count_per_destination":
            return Text("How many to one place in 24 hours")
        case "blocked_hours":
            return Text("Hours without payouts")
        case "totp_above":
            return Text("One-time code above")
        case "approvals":
            return Text("Approvals needed")
        case "approval_hours":
            return Text("Hours to approve")
        case "new_destination_hours":
            return Text("Hours that a new destination waits")
    return Text("{key}", key=key)


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
