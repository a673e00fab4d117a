"""Streams of what changes."""

import asyncio

from fastapi import Request

_LOOK_S = 1.0


def goes_on(request: Request) -> bool:
    """Whether the service that the request came to does not end yet."""
    return not request.app.state.closing.is_set()


async def pause(request: Request) -> None:
    """Until it is time to look again, or the service ends."""
    closing: asyncio.Event = request.app.state.closing
    try:
        async with asyncio.timeout(_LOOK_S):
            await closing.wait()
    except TimeoutError:
        pass
