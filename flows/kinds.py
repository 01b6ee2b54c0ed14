"""Kinds: what is answered to a message that is no typed words and no tap, by its kind.

None of these is an answer to anything: what was asked is asked again, in the same message.
"""

from flows.text import Text

EDIT = "edit"
FORWARDED = "forwarded"
CARD = "card"
REMINDED = frozenset({EDIT, CARD})  # nobody has misunderstood anything

_PICTURES = Text("I can't see pictures or videos. Please type what you need.")
_HINTS = {
    "audio": Text("I can't listen to voice notes. Please type what you need."),
    "image": _PICTURES,
    "video": _PICTURES,
    "sticker": Text("I can't see stickers. Please type what you need."),
    "document": Text("I can't open files. Please type what you need."),
    "location": Text("I can't see places on a map. Please type what you need."),
    "contacts": Text("I found no phone number in that contact. Please type the number."),
    "poll": Text("I can't take part in polls. Please type what you need."),
    "unavailable": Text("Your message did not reach me whole. Please send it again."),
    EDIT: Text(
        "I go by what you sent first, so your edit changes nothing. If you want something else, type it anew."
    ),
    CARD: Text(
        "Please never send a card number in a chat. I did not keep it, and did nothing with your message; "
        "delete it on your phone too."
    ),
    FORWARDED: Text("I don't act on forwarded messages. Please type it yourself."),
}
NOT_PASSED_ON = Text("I can pass on only what you type.")  # while a person of the staff answers
_OTHERS = Text("I can read only typed words and taps on buttons.")


def hint(kind: str) -> Text:
    """What cannot be done with it, and what works instead."""
    return _HINTS.get(kind, _OTHERS)
