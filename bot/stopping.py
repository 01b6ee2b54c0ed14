"""Stopping: a loop that is told to stop finishes what it has taken first."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(act: Coroutine[Any, Any, T]) -> T:
    """The act to its end, even where the caller is cancelled meanwhile: the cancellation is passed on
    after it, and a second one breaks it off."""
    task = asyncio.create_task(act)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if not task.cancelled():
            task.exception()  # whatever failed was rolled back, and is claimed again
        raise
