"""Clean: words of a person as they can be written, shown and sent again."""

import re

# Half a character, controls but tab and line ends, and what turns the direction of the words around it:
# databases refuse the first two, and the last would let a typed reason rearrange the amounts beside it.
_UNFIT = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """With a sign in place of each that is unfit."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
