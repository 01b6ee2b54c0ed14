"""To tenants' own systems over real HTTP: what proves that it is us, and where nothing of us goes."""

import asyncio
import gzip
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook, WebhookVerificationError

from bot.webhooks_out import http
from services.errors.webhooks import InvalidEndpoint
from services.ids import new_id
from services.webhooks import addresses, signing
from services.webhooks.deliveries import Outcome, Sendable, message_id
from services.webhooks.signing import new_secret
from tests.bot.webhooks_out.receiver import receiving

BODY = b'{"type":"payment.succeeded","data":{"amount":"500.00"}}'


def sendable(url, *secrets):
    signing_with = secrets or (new_secret(),)
    return Sendable(
        new_id(), new_id(), new_id(), 1, message_id(new_id()), url=url, secrets=signing_with, body=BODY
    )


def now():
    return datetime.now(UTC)


class Names(AbstractResolver):
    """Answers with these addresses, one after another; the last one again and again."""

    def __init__(self, *addresses):
        self.addresses, self.asked = list(addresses), 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        found = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [
            {
                "hostname": host,
                "host": each,
                "port": port,
                "family": socket.AF_INET6 if ":" in each else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for each in found.split()
        ]

    async def close(self):
        pass


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def session():
    async with http.open_session(loopback=True) as session:
        yield session


async def test_the_reference_library_believes_it_under_either_secret(receiver, session):
    new, old, another = new_secret(), new_secret(), new_secret()
    sent = sendable(receiver.url, new, old)
    assert (await http.post(session, sent, now())).taken
    (got,) = receiver.got
    assert got.body == BODY
    for secret in (new, old):
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "payment.succeeded"
    for wrong in (
        (another, got.body, got.headers),
        (new, got.body + b" ", got.headers),
        (new, got.body, got.headers | {"webhook-id": "msg_1"}),
        (new, got.body, got.headers | {"webhook-timestamp": str(int(now().timestamp()) + 1)}),
    ):
        secret, body, headers = wrong
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


async def test_we_sign_as_the_reference_library_does():
    secret = new_secret()
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    ours = signing.headers([secret], "msg_1", int(at.timestamp()), BODY)
    theirs = Webhook(secret).sign("msg_1", at, BODY.decode())
    assert ours["webhook-signature"] == theirs


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (web.Response(status=200), None),
        (web.Response(status=299), None),
        (web.Response(status=500), "http_500"),
        (web.Response(status=410), "http_410"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "http_302"),
        (web.Response(status=307, headers={"Location": "/elsewhere"}), "http_307"),
    ],
)
async def test_only_2xx_takes_it_and_no_redirect_is_followed(receiver, session, answer, because):
    receiver.answers.append(answer)
    outcome = await http.post(session, sendable(receiver.url), now())
    assert (outcome.status, outcome.because) == (answer.status, because)
    assert len(receiver.got) == 1


async def test_no_cookie_is_kept_and_no_proxy_of_the_environment_asked(receiver, session, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    receiver.answers.append(web.Response(headers={"Set-Cookie": "a=b"}))
    for _ in range(2):
        assert (await http.post(session, sendable(receiver.url), now())).taken
    assert "Cookie" not in receiver.got[1].headers


async def test_it_is_asked_when_to_come_again(receiver, session):
    soon = now() + timedelta(minutes=5)
    for told, wait in (
        ("120", timedelta(minutes=2)),
        (format_datetime(soon, usegmt=True), timedelta(minutes=5)),
        (format_datetime(now() - timedelta(days=1), usegmt=True), timedelta(0)),
        ("9" * 400, timedelta(seconds=10**6)),
        ("whenever", None),
        ("-5", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Mon, 01 Jan 2001 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 +0000", None),
    ):
        receiver.answers.append(web.Response(status=429, headers={"Retry-After": told}))
        found = (await http.post(session, sendable(receiver.url), now())).retry_after
        assert (found is None) == (wait is None)
        assert found is None or wait is None or abs(found - wait) < timedelta(seconds=2)


async def test_a_huge_answer_is_not_read_and_a_packed_one_not_unpacked(receiver, session):
    async def endless(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(10_000):
            await answer.write(b"x" * 65536)
        return answer

    receiver.answers.append(endless)
    async with asyncio.timeout(5):
        assert (await http.post(session, sendable(receiver.url), now())).taken
    packed = gzip.compress(b"0" * 10_000_000)
    receiver.answers.append(web.Response(body=packed, headers={"Content-Encoding": "gzip"}))
    assert (await http.post(session, sendable(receiver.url), now())).taken


async def test_nobody_there_and_what_is_no_http_are_outcomes(session):
    nobody = await http.post(session, sendable("http://127.0.0.1:9/"), now())
    assert nobody.because == "no_answer"

    async def gibberish(reader, writer):
        await reader.read(10)
        writer.write(b"what?\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(gibberish, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await http.post(session, sendable(f"http://127.0.0.1:{port}/"), now())).because == "no_answer"
        tls = await http.post(session, sendable(f"https://127.0.0.1:{port}/"), now())
    assert tls.because in ("tls", "no_answer")


async def test_who_says_nothing_is_not_waited_for_long(receiver, monkeypatch):
    monkeypatch.setattr(http, "_MOST_SECONDS", 0.2)
    receiver.hold = asyncio.Event()
    async with http.open_session(loopback=True) as session:
        assert await http.post(session, sendable(receiver.url), now()) == Outcome(because="timeout")
    receiver.hold.set()


# --- where nothing goes -----------------------------------------------------------------------------

REFUSED = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.9.9.9",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "not an address",
)


@pytest.mark.parametrize("address", REFUSED)
def test_no_address_inside_is_reached(address):
    assert not addresses.is_reachable(address, 443)


@pytest.mark.parametrize("address", ["8.8.8.8", "102.219.208.1", "2606:4700::1111", "2c0f:fb50::1"])
def test_public_addresses_are(address):
    assert addresses.is_reachable(address, 443)
    assert not addresses.is_reachable(address, 22)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_only_where_it_is_set(address):
    assert addresses.is_reachable(address, 9000, loopback=True)
    assert not addresses.is_reachable("10.0.0.1", 443, loopback=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://shop.example:{port}/"])
async def test_a_name_or_an_address_of_this_machine_is_refused_before_anything_is_connected(receiver, url):
    names = Names("127.0.0.1")
    port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
    async with http.open_session(loopback=False, resolver=names) as session:
        outcome = await http.post(session, sendable(url.format(port=port)), now())
    assert outcome.because == "address_refused"
    assert receiver.got == []


async def test_a_name_that_points_elsewhere_the_next_time_is_refused_then(receiver):
    """Resolved once for a connection, and the very address that was looked at is connected to."""
    names = Names("127.0.0.1", "10.0.0.1", "169.254.169.254 ::ffff:127.0.0.1")
    port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
    outcomes = []
    async with http.open_session(loopback=True, resolver=names) as session:
        for number in range(3):
            receiver.answers.append(web.Response(headers={"Connection": "close"}))
            outcomes.append(await http.post(session, sendable(f"http://shop.example:{port}/"), now()))
            assert names.asked == number + 1
    assert [each.because for each in outcomes] == [None, "address_refused", "address_refused"]
    assert len(receiver.got) == 1


async def test_names_are_resolved_by_threads_of_their_own(receiver):
    port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
    async with http.open_session(loopback=True) as session:
        assert (await http.post(session, sendable(f"http://localhost:{port}/"), now())).taken
        nowhere = await http.post(session, sendable("https://no-such-name.invalid/"), now())
    assert nowhere.because == "no_answer"
    assert [each.name for each in threading.enumerate() if each.name.startswith("webhook-names")]


async def test_of_several_addresses_only_the_public_ones_are_tried(receiver):
    names = Names("10.0.0.1 169.254.169.254 127.0.0.1")
    port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
    async with http.open_session(loopback=True, resolver=names) as session:
        assert (await http.post(session, sendable(f"http://shop.example:{port}/"), now())).taken


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "//shop.example/",
        "shop.example",
        "https://",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://10.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://metadata/",
        "https://shop.example:80/",
        "https://shop.example:22/",
        "https://shop.example:99999/",
        "https://user@shop.example/",
        "https://user:pass@shop.example/",
        "https://shop.example/#there",
        "https://shop.example\\@10.0.0.1/",
        "https://shop.example/ a",
        "https://shop.example/\r\nHost: inside",
        "https://shöp.example/",
        "https://shop..example/",
        "https://-shop.example/",
        "https://[shop.example/",
        "https://shop.example/" + "a" * 500,
    ],
)
def test_what_is_no_address_of_a_public_server_is_not_taken(url):
    with pytest.raises(InvalidEndpoint):
        addresses.checked(url, loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/",
        "https://SHOP.example:443/a?b=c%20d&e",
        "https://shop.example:8443",
        "https://xn--shp-sna.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_what_is_one_is_taken_as_it_is(url):
    assert addresses.checked(url, loopback=False) == url


def test_this_machine_is_taken_only_where_it_is_set():
    for url in ("http://127.0.0.1:9000/hooks", "http://localhost:9000", "https://[::1]:8000/"):
        assert addresses.checked(url, loopback=True) == url
    with pytest.raises(InvalidEndpoint):
        addresses.checked("http://10.0.0.1:9000/", loopback=True)
