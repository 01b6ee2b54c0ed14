"""What a conversation hears and says, in no channel's words.

`bot/whatsapp/incoming.py` makes Heard of what WhatsApp tells; `bot/whatsapp/outgoing.py` makes
buttons, a list, a link button, a contact request or numbers of a Reply, and keeps Meta's limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from flows.document import Document
from flows.form import Form
from flows.text import Text
from services.news import News

NOT_UNDERSTOOD = Text("Sorry, I didn't understand that.")
MAIN = "main"  # the thread where a person is when in no other


@dataclass(frozen=True, slots=True)
class Said:
    """Typed words."""

    text: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A button or row of ours: it carries its thread, its step, the nonce of the asking and a choice."""

    thread: str
    step: str
    nonce: str
    choice: str

    def encode(self) -> str:
        """At most 200 characters (a list row's id), without `|` inside the parts."""
        return f"{self.thread}|{self.step}|{self.nonce}|{self.choice}"

    @classmethod
    def decode(cls, id_: str) -> "Tap | None":
        """None for an id that is not one of ours."""
        parts = id_.split("|")
        return cls(*parts) if len(parts) == 4 else None  # noqa: PLR2004  the four of encode


@dataclass(frozen=True, slots=True)
class SharedNumber:
    """The person shared a phone number (the answer to a contact request, or a contact card).

    `own`: WhatsApp says that it is the sender's own.
    """

    phone: str
    own: bool


@dataclass(frozen=True, slots=True)
class Other:
    """A message that is no words of the person's own: "audio", "image", "location", "edit", "forwarded"...
    `flows/kinds.py` has what is answered."""

    kind: str


@dataclass(frozen=True, slots=True)
class Item:
    """What was ordered of the channel's own catalogue. None where it cannot be read; `price` is what the
    person was shown, and decides nothing."""

    sku: str
    quantity: int | None
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that was put together in the channel's own catalogue."""

    items: tuple[Item, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """The channel says that the account of this chat is another one, or has another address (E.164, user
    id): both None where it does not say which."""

    phone: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """The channel's own switch: whether the person wants what is written to them unasked."""

    unasked: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """A form was filled in. `asking`: the thread, step and nonce that it answers, with no choice; None where
    the channel does not say. `token`: what the channel says of that, until it is read."""

    values: Mapping[str, str]
    token: str | None = None
    asking: Tap | None = None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file, which is not here yet: `media` is what the channel calls it."""

    media: str
    name: str


Heard = Said | Tap | SharedNumber | Filled | Ordered | SentFile | Other | NewIdentity | News | Wishes


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `choice` is what comes back; a number, the label or a near spelling also mean it,
    unless `tap_only` (money and approvals)."""

    choice: str
    label: Text
    note: Text | None = None
    tap_only: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens a page."""

    label: Text
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message. `options` of one asking share thread, step and nonce.

    Up to three short options become buttons, up to ten a list opened by `menu`; longer ones are paged
    by the engine before they come here. With a `document` the text is its caption. `whole`: nothing
    but a step's line, as it is said each time that it is asked, after a `hint` on what was heard.
    """

    text: Text
    options: tuple[Option, ...] = ()
    menu: Text | None = None
    link: Link | None = None
    document: Document | None = None
    image: str | None = None  # its address; not above a list
    asks_for_number: bool = False
    form: Form | None = None  # where the channel can show it, instead of the options
    waits: bool = False  # for somebody else's word, which comes soon
    thread: str = MAIN
    step: str = ""
    nonce: str = ""
    whole: bool = False
    hint: Text | None = None

    def is_said_by(self, later: "Reply") -> bool:
        """Whether the later one says all of it, so that whoever reads both misses nothing without it."""
        if self == later:
            return True
        same = (self.thread, self.step, self.nonce) == (later.thread, later.step, later.nonce)
        return same and self.whole and later.whole and self.hint in (None, NOT_UNDERSTOOD, later.hint)

    def tap(self, option: Option) -> Tap:
        """What comes back where this option is tapped."""
        return Tap(self.thread, self.step, self.nonce, option.choice)
