"""Struck out: card numbers and codes, before anything that people wrote is stored.

A card number is 13 to 19 digits of a known issuer, as long as that one's are, with a right check digit,
however it is spaced and whatever other numbers stand beside it; its last four digits stay. A code is what
stands behind its name ("cvv 123", "my pin is 1234"), or behind a card and the month that it ends in.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

_LEAST, _MOST = 13, 19
# What ends a row of digits as a word would: phones of Kenya and dates, with which amounts would else make up
# a card's number once in ten times.
_NUMBER = re.compile(
    r"(?P<other>(?<!\d)(?:(?:254|0)[17]\d{8}"
    r"|(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|1[0-2])/20\d\d|20\d\d-[01]\d-[0-3]\d)(?!\d))|\d+"
)
# What may stand between the digits of one card, in any mixture; signs of format and of keycaps among it.
_GAP = re.compile(
    r"[\s.\-\u2010-\u2015\u2212_/\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufe0f\u20e3]{1,8}"
)
# What else may, where all of them are the same: of times and lists of amounts they are not, or come oftener.
_ODD_GAP = re.compile(r" ?[*|:;+] ?|,")
_LEAST_GROUP = 3
_CODE = re.compile(
    r"\b(cvv2?|cvc2?|cvn|security code|pin|otp|one[- ]time (?:code|password)|passcode|password|siri"
    r"|namba(?:ri)? ya siri|nywila)\b((?:\s*(?:is|ni|yangu ni|number|code|no\.?))?\s*[:=#-]?\s*)(\d{3,8})\b",
    re.IGNORECASE,
)
_STRUCK_CARD = re.compile(r"\[card \*{4}\d{4}\]")
_CODE_BEHIND = re.compile(
    rf"({_STRUCK_CARD.pattern}\W{{1,8}}(?:0?[1-9]|1[0-2])\W{{0,3}}(?:20)?[2-4]\d\W{{1,8}})(\d{{3,4}})(?!\d)"
)
# Each with the lengths of its numbers, the usual one first: Visa; Mastercard, Troy; Mir; Discover, UnionPay,
# Maestro and Verve; American Express; Diners; JCB.
_ISSUERS = tuple(
    (re.compile(begins), lengths)
    for begins, lengths in (
        ("4", (16, 13, 19)),
        ("5[1-5]|2[3-6]|22[2-9]|27[01]|2720|9792", (16,)),
        ("220[0-4]", (16, 17, 18, 19)),
        ("5[0678]|6", (16, 19, 18, 17, 13, 14, 15)),
        ("3[47]", (15,)),
        ("3[0689]", (14, 16, 17, 18, 19)),
        ("35", (16, 17, 18, 19)),
    )
)

_Span = tuple[int, int]


def strike_out(text: str) -> str:
    """The text without card numbers and codes; unchanged where it holds none."""
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return text
    return _CODE_BEHIND.sub(r"\1[code]", _CODE.sub(r"\1\2[code]", _without_cards(text, numbers)))


def held_card(text: str) -> bool:
    """Whether a card number was struck out of this text."""
    return _STRUCK_CARD.search(text) is not None


def _without_cards(text: str, numbers: list[re.Match[str]]) -> str:
    """Where two of them overlap both are gone."""
    parts, at, spans = [], 0, list[_Span]()
    for start, end in (span for row in _rows(text, numbers) for span in row.cards()):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    for start, end in spans:
        last = [sign for sign in text[start:end] if sign.isdecimal()][-4:]
        parts += [text[at:start], f"[card ****{''.join(str(int(sign)) for sign in last)}]"]
        at = end
    return "".join([*parts, text[at:]])


def _rows(text: str, numbers: list[re.Match[str]]) -> Iterator["_Row"]:
    """Numbers with nothing between them but what may stand in a card's, where there are digits enough."""
    groups, gaps = list[_Span](), list[str]()
    for number in numbers:
        gap = text[groups[-1][1] : number.start()] if groups else ""
        joined = bool(groups) and bool(_GAP.fullmatch(gap) or _ODD_GAP.fullmatch(gap))
        other = number["other"] and not (joined and _is_begun(*groups[-1]))
        if groups and (other or not joined):
            yield from _row(text, groups, gaps)
            groups, gaps = [], []
        elif groups:
            gaps.append(gap)
        if not other:
            groups.append(number.span())
    yield from _row(text, groups, gaps)


def _is_begun(start: int, end: int) -> bool:
    """Fewer digits than an amount beside a phone has: rather a card's, which look like one from there on."""
    return end - start < _LEAST_GROUP


def _row(text: str, groups: list[_Span], gaps: list[str]) -> Iterator["_Row"]:
    if sum(end - start for start, end in groups) >= _LEAST:
        yield _Row(text, groups, gaps)


class _Row:
    """Groups of digits: where each is in the text, and what is between them."""

    def __init__(self, text: str, groups: Sequence[_Span], gaps: Sequence[str]) -> None:
        self._groups = groups
        self._odd = [None if _GAP.fullmatch(gap) else gap.strip() for gap in gaps]
        self._digits = "".join(str(int(sign)) for start, end in groups for sign in text[start:end])
        self._sums = [list(accumulate(each, initial=0)) for each in self._values()]

    def _values(self) -> tuple[list[int], list[int]]:
        """Of each digit in the check sum: with those at even places doubled, and those at odd ones."""
        once = [int(digit) for digit in self._digits]
        twice = [2 * digit - 9 * (digit > 4) for digit in once]  # noqa: PLR2004  the sum of two digits
        both = list(zip(twice, once, strict=True))
        return [pair[n % 2] for n, pair in enumerate(both)], [pair[1 - n % 2] for n, pair in enumerate(both)]

    def cards(self) -> Iterator[_Span]:
        """Where they are, in the order of where they begin."""
        at = 0
        for n, (start, end) in enumerate(self._groups):
            size = end - start
            lengths = _lengths(self._digits[at : at + 4])
            ends = self._ends(n)
            within = next((length for length in lengths if length in ends and self._holds(at, length)), 0)
            if within:
                yield start, ends[within]
            elif lengths and self._glued(at, lengths[0], size):
                yield start, start + lengths[0]
            if not within:
                yield from self._at_end(at, end, size)
            at += size

    def _ends(self, first: int) -> dict[int, int]:
        """Where in the text a number ends that begins with this group, by how many digits it would have."""
        ends, digits, odd = dict[int, int](), 0, None
        for n, (start, end) in enumerate(self._groups[first : first + _MOST]):
            if n == 1:
                odd = self._odd[first]
            size = end - start
            if n and (self._odd[first + n - 1] != odd or (odd and size < _LEAST_GROUP)):
                break
            digits += size
            if digits > _MOST:
                break
            ends[digits] = end
        return ends

    def _at_end(self, at: int, end: int, size: int) -> Iterator[_Span]:
        """A number of the usual length at the end of a longer one."""
        for length in (16, 15, 14):
            begins = at + size - length
            if size > length and _lengths(self._digits[begins : begins + 4])[:1] == (length,):
                if self._glued(begins, length, size):
                    yield end - length, end
                return

    def _glued(self, at: int, length: int, size: int) -> bool:
        return size > length and self._holds(at, length)

    def _holds(self, at: int, length: int) -> bool:
        """Whether the check digit is right: every second digit counts double, the last one once."""
        sums = self._sums[(at + length) % 2]
        return (sums[at + length] - sums[at]) % 10 == 0


def _lengths(digits: str) -> tuple[int, ...]:
    """Of numbers that begin so; none where no issuer's do."""
    return next((lengths for begins, lengths in _ISSUERS if begins.match(digits)), ())
