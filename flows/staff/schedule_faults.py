"""Schedule faults: what a person reads where a schedule cannot be as they typed it."""

from flows.text import Text


def invalid_schedule(field: str) -> Text:
    """What was typed cannot be; what would do."""
    match field:
        case "name":
            return Text("Type a name of at most 40 letters.")
        case "days":
            return Text("Type the days as figures, such as 1 5: of a week from 1, Monday, or of a month.")
        case "hour":
            return Text("Type the hour from 0 to 23.")
        case "until":
            return Text("Type a day after today and within a year, such as 30/6/2027.")
        case "schedules":
            return Text("There are as many schedules as may be. Cancel one first.")
    return Text("A schedule cannot be so. Please look at it again.")
