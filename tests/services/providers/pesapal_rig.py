"""An adapter, the stub that it talks to, and a page as a customer's tap opens it."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import aiohttp
from aiohttp.test_utils import TestServer

from services.money import Money
from services.providers.abilities import Page
from services.providers.pesapal import Pesapal
from services.providers.pesapal_settings import PesapalSettings
from tests.services.providers.stub_daraja import OneToken
from tests.services.providers.stub_pesapal import CANCEL, LIST, ORDER, REFUND, STATUS, StubPesapal, says

NOW = dt.datetime(2026, 11, 29, 12, 0, tzinfo=dt.UTC)
TRACKING = "b945e4af-80a5-4ec1-8706-e03f8332fb04"
ATTEMPT = UUID("019acf00-0000-7000-8000-000000000004")
REFERENCE = f"{TRACKING}/{ATTEMPT}"
IPN_ID = "e32182ca-0983-4fa0-91bc-c3bb813ba750"
PAGE = Page(
    provider="pesapal",
    attempt_id=ATTEMPT,
    amount=Money(1250_50, "KES"),
    number="L-17",
    about="Mama Njeri Duka, order L-17",
    ends_at=NOW + dt.timedelta(minutes=30),
    return_url="https://pay.example/pay/p1",
    callback_url="https://pay.example/hooks/cd34",
    ipn_url="https://pay.example/hooks/ab12",
    email="nobody@pay.example",
    phone="+254712345678",
)
SETTINGS = PesapalSettings.model_validate({"consumer_key": "the-key", "consumer_secret": "the-secret"})


@dataclass
class Rig:
    pesapal: Pesapal
    stub: StubPesapal
    tokens: OneToken
    make: Callable[..., Pesapal]


@asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    """All that is asked is answered well, until a test says otherwise."""
    stub, tokens = StubPesapal(), OneToken()
    async with TestServer(stub.app()) as server, aiohttp.ClientSession() as http:

        def make(url: str | None = None, total: float = 30) -> Pesapal:
            timeout = aiohttp.ClientTimeout(total=total, connect=5)
            url = url or str(server.make_url(""))
            return Pesapal(SETTINGS, http, url, tokens, lambda: NOW, timeout=timeout)

        stub.will(LIST, says("ipn_list"))
        stub.will(ORDER, says("order"))
        stub.will(STATUS, says("status_completed"))
        stub.will(REFUND, says("refund_accepted"))
        stub.will(CANCEL, says("cancelled"))
        yield Rig(make(), stub, tokens, make)
