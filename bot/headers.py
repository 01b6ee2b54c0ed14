"""Headers: what every answer tells a browser, so that one which is led here by somebody else does no harm.

What an answer says of itself stays: the reader of the API's document has a policy of its own.
https://owasp.org/www-project-secure-headers
"""

from aiohttp import hdrs, web

# Nothing is loaded, framed or sent: pages of ours that need more say so.
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
}
_YEAR_SECONDS = 365 * 24 * 3600


def add_to(app: web.Application, public_url: str) -> None:
    """Where the outside reaches us by https it is told to do so only."""
    told = dict(SAFE)
    if public_url.startswith("https://"):
        told["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in told.items():
            response.headers.setdefault(name, value)
        response.headers.popall(hdrs.SERVER, None)  # whoever looks for an old release asks on

    app.on_response_prepare.append(add)
