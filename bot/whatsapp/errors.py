"""Meta's error codes, and what each asks of us.

Keyed on the code alone; titles and subcodes are deprecated.
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from enum import StrEnum

WINDOW_CLOSED = 131047  # said of the send, or later by a status
# Not there, filled wrongly, paused or disabled; 132069 is a form that is sent too often.
TEMPLATE_PROBLEMS = frozenset(range(132000, 132069))


class Verdict(StrEnum):
    """What is done about a message that Meta refused."""

    RETRY = "retry"  # temporary: again, waiting longer each time
    PAUSE_PAIR = "pause_pair"  # too fast to this person: only this one waits
    PAUSE_NUMBER = "pause_number"  # too fast altogether: the tenant's number rests
    STOP_AND_ALERT = "stop_and_alert"  # token, permission, policy, billing: somebody must act
    WINDOW_CLOSED = "window_closed"  # only a template reaches this person now
    GIVE_UP = "give_up"  # this message will never arrive


_BY_CODE = {
    **dict.fromkeys((1, 2, 131000, 131016, 131053, 131057, 133004, 132069), Verdict.RETRY),
    131056: Verdict.PAUSE_PAIR,
    **dict.fromkeys((4, 80007, 130429, 133016), Verdict.PAUSE_NUMBER),
    **dict.fromkeys(
        (0, 3, 10, 33, 190, 368, 130497, 131005, 131031, 131037, 131042, 131045, 131048),
        Verdict.STOP_AND_ALERT,
    ),
    **dict.fromkeys(range(200, 300), Verdict.STOP_AND_ALERT),
    **dict.fromkeys((133000, 133005, 133006, 133008, 133009, 133010, 133015), Verdict.STOP_AND_ALERT),
    WINDOW_CLOSED: Verdict.WINDOW_CLOSED,
}

_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


def verdict(status: int, code: int | None) -> Verdict:
    """What to do about a refusal that Meta explained. A code that nobody knows is judged by the HTTP
    status, and given up where that blames the message."""
    known = _BY_CODE.get(code) if code is not None else None
    if known is not None:
        return known
    if status == _TOO_MANY_REQUESTS:
        return Verdict.PAUSE_NUMBER
    return Verdict.RETRY if status >= _SERVER_ERROR else Verdict.GIVE_UP
