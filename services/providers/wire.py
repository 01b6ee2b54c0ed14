"""Wire: what can keep a request from being answered. Errors are named, never quoted: their texts hold
addresses."""

import aiohttp

# Nothing of the request has left us: no address, nobody listens, no TLS, no connection in time.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
LOST = (aiohttp.ClientError, TimeoutError, OSError)
