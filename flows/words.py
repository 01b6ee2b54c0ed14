"""Words: what may be typed at any time, in any language, and where it leads."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from flows.step import Step
from flows.teller import Teller
from flows.text import spellings


@dataclass(frozen=True)
class Word:
    """`leads` takes the teller and what was typed after the word ("500" of "pay 500"), and says in its
    return type where the word leads. `takes_rest`: something may be typed after it; `takes_reference`:
    a reference may. `exact`: a slip of the finger does not count. `always`: neither a choice on offer that is
    called so nor a step that takes over comes before it. `scopes`: for whom it is; to others it is an
    unknown word.
    """

    spellings: tuple[str, ...]
    leads: Callable[[Teller, str], Awaitable[Step]]
    takes_rest: bool = False
    takes_reference: bool = False
    exact: bool = False
    always: bool = False
    scopes: frozenset[str] = frozenset()

    @cached_property
    def every_spelling(self) -> tuple[str, ...]:
        """Its own, and those of the catalogues."""
        return tuple(dict.fromkeys([*self.spellings, *spellings(self.spellings[0])]))

    def is_for(self, teller: Teller) -> bool:
        """Whether the person may use it: any of its scopes will do."""
        return not self.scopes or bool(self.scopes & teller.me.scopes)
