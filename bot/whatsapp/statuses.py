"""The statuses of a sent message: they come in any order and only ever move it forward.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
"""

# What a message may become. A failure is told at the send or instead of a delivery: once a message was
# delivered, a late "failed" is of a retry of theirs; and what failed stays so.
_RANK = {
    "waiting": 0,
    "sending": 0,
    "unknown": 0,
    "sent": 1,
    "held": 1,  # no later word that it was sent lets go of it
    "failed": 2,
    "delivered": 3,
    "read": 4,
    "played": 5,
}


def advance(current: str, heard: str) -> str | None:
    """The new state, or None where the word is none that we know or not forward."""
    if (
        heard not in _RANK
        or _RANK[heard] <= _RANK[current]
        or heard in ("waiting", "sending", "unknown", "held")
    ):
        return None
    if current == "failed":  # terminal: a late status of an earlier try does not revive it
        return None
    return heard
