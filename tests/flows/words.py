"""Words: what those lines of a transcript do that nobody says. Each word is the function of its name, which
is told the business and the facts of the line."""

from collections.abc import Callable
from typing import Any

Does = Callable[..., None]


class Words(dict[str, Does]):
    """LookupError: there is no such word; ValueError or TypeError: it takes other facts."""

    def __call__(self, does: Any) -> Any:
        self[does.__name__.rstrip("_")] = does  # an underscore ends what Python has a word for itself
        return does


before = Words()  # @
event = Words()  # *
