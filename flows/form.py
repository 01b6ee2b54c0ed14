"""Form: several fields that a channel may have filled in at once, instead of asking one after another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flows.text import Text

GONE = Text("This form is no longer open. Please go on in the chat.")


@dataclass(frozen=True, slots=True)
class Form:
    """`name` is that of its layout at the channel; `label` opens it. `words` and `options` (ids with their
    titles) go into the layout's places of these names. `check` says what is wrong with each field, for
    whoever fills it in: what is sent is judged again where it is heard."""

    name: str
    label: Text
    fields: tuple[str, ...]
    words: Mapping[str, Text]
    options: Mapping[str, Mapping[str, Text]]
    check: Callable[[Mapping[str, str]], Mapping[str, Text]]
