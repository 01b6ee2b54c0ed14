"""Keys: what the environment gives of each provider's own sandbox, `LIPACHAT_SMOKE_NAME__KEY` as the tenant
file spells its keys. Never those that move real money."""

import os
import re
from typing import Any

import pytest

# Of Safaricom's sandbox both are published, and the same for everybody.
_PUBLISHED = {
    "mpesa": {
        "shortcode": "174379",
        "passkey": "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919",
    }
}
_NEEDED = {
    "mpesa": ("consumer_key", "consumer_secret"),
    "paystack": ("secret_key",),
    "pesapal": ("consumer_key", "consumer_secret"),
    "stripe": ("secret_key",),
}
_SANDBOX = {
    "mpesa": "https://sandbox.safaricom.co.ke",
    "paystack": "https://api.paystack.co",
    "pesapal": "https://cybqa.pesapal.com/pesapalv3",
    "stripe": "https://api.stripe.com",
}
_LIVE = re.compile(r"(sk|rk)_live_|https://(api\.safaricom\.co\.ke|pay\.pesapal\.com)")


def given(name: str) -> dict[str, Any]:
    """The provider's settings. Raises UsageError for live ones."""
    prefix = f"LIPACHAT_SMOKE_{name.upper()}__"
    told = {
        key.removeprefix(prefix).lower(): value
        for key, value in os.environ.items()
        if key.startswith(prefix) and value
    }
    for value in (*told.values(), url_of(name)):
        if _LIVE.match(value):
            raise pytest.UsageError(f"--smoke takes no live keys or addresses, and {name} has one.")
    return _PUBLISHED.get(name, {}) | told


def url_of(name: str) -> str:
    """LIPACHAT_NAME__URL, else the provider's sandbox."""
    return os.environ.get(f"LIPACHAT_{name.upper()}__URL", _SANDBOX[name])


def missing(name: str, *more: str) -> str | None:
    """The variables without which its tests cannot be run."""
    known = given(name)
    lacking = [key for key in (*_NEEDED[name], *more) if key not in known]
    return " and ".join(f"LIPACHAT_SMOKE_{name.upper()}__{key.upper()}" for key in lacking) or None
