"""Pages: the choices of a step, as many at a time as a list holds."""

from flows.place import Stand
from flows.step import Choice, Step

_ROWS = 10  # of a list
MORE = "more"  # the choice that turns the page


def keyed(step: Step) -> dict[str, Choice]:
    """The choices by the keys that their buttons carry."""
    return {f"{type(choice).__name__}.{n}": choice for n, choice in enumerate(step.choices())}


def pages(step: Step) -> int:
    """How many lists its choices take."""
    many = len(step.choices())
    return 1 if many <= _ROWS else -(-many // (_ROWS - 1))


def page_of(stand: Stand) -> list[tuple[str, Choice]]:
    """The choices that are shown, with room for the row that turns the page."""
    choices = list(keyed(stand.step).items())
    if len(choices) <= _ROWS:
        return choices
    start = stand.page * (_ROWS - 1)
    return choices[start : start + _ROWS - 1]
