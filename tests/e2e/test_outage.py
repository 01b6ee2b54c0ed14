"""PostgreSQL out of reach: what each part says meanwhile, and that all goes on by itself afterwards."""

import asyncio
import hmac
import json

import pytest

from bot.sandbox.seed import SHOP
from tests.e2e.conftest import prepared
from tests.e2e.crowd import Crowd
from tests.e2e.installation import ready
from tests.e2e.proxy import proxied
from tests.servers import free_port

pytestmark = pytest.mark.postgres
WEBHOOK = "/webhooks/whatsapp"


@pytest.fixture
async def cuttable(postgres_database, outside, tmp_path):
    """An installation whose way to the database can be cut."""
    async with (
        proxied(postgres_database) as proxy,
        prepared(tmp_path, outside, proxy.url) as place,
    ):
        yield place, proxy
        await proxy.mend()


def message(id_, words):
    text = {"from": "254799999999", "id": id_, "timestamp": "1795510800", "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": SHOP.phone_number_id},
        "messages": [text | {"text": {"body": words}}],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def told(http, url, body):
    signature = "sha256=" + hmac.digest(b"app-secret", body, "sha256").hex()
    async with http.post(f"{url}{WEBHOOK}", data=body, headers={"X-Hub-Signature-256": signature}) as answer:
        return answer.status, await answer.text(), answer.headers


async def seen(http, url):
    async with http.get(url) as answer:
        return answer.status, await answer.text()


async def test_while_the_database_is_away_nothing_is_taken_and_after_it_all_goes_on(cuttable, http):
    place, proxy = cuttable
    place.installation.start("serve", "--port", place.port)
    await ready(http, place.url)
    crowd = Crowd(place.town, place.database_url)
    await crowd.talk()
    await crowd.until_answered(20)
    await proxy.cut()
    for n in range(5):  # the first may still meet a connection that died, the next find none at all
        status, text, headers = await told(http, place.url, message(f"wamid.cut{n}", "pay 77"))
        assert (status, headers["Retry-After"]) == (503, "5")
        assert text == "The database does not answer, so nothing was stored. Please send this again."
    status, text = await seen(http, f"{place.url}/readyz")
    assert status == 503
    assert json.loads(text)["detail"].startswith("The database does not answer (")
    assert (await seen(http, f"{place.url}/livez"))[0] == 200
    assert (await seen(http, f"{place.url}/metrics"))[0] == 200
    assert (await seen(http, f"{place.url}/hooks/{'0' * 64}"))[0] == 503
    key = {"X-TENANT-API-KEY": f"lipa_{'0' * 12}_{'0' * 64}_{'0' * 8}"}
    async with http.get(f"{place.url}/api/v1/wallet", headers=key) as answer:
        problem = await answer.json()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert (problem["code"], problem["status"]) == ("unavailable", 503)
    await proxy.mend()
    await ready(http, place.url)
    assert (await told(http, place.url, message("wamid.after", "pay 78")))[0] == 200
    answered = await crowd.until_answered()
    assert set(answered) == crowd.asked
    assert await crowd.out_of_order() == []
    said, again = await crowd.said()
    assert said == crowd.once_each
    assert answered.total() - len(crowd.asked) <= again
    checked = await asyncio.to_thread(place.installation.run, "ledger", "check")
    assert json.loads(checked) == {"ok": True, "breaches": []}


async def test_where_the_databases_host_has_vanished_nobody_waits_for_ever(cuttable, http):
    """Nothing is refused and nothing comes back: each answer has its own patience."""
    place, proxy = cuttable
    place.installation.start("serve", "--port", place.port)
    await ready(http, place.url)
    assert (await told(http, place.url, message("wamid.before", "pay 77")))[0] == 200
    proxy.freeze()
    try:
        async with asyncio.timeout(25):
            posts = [told(http, place.url, message(f"wamid.frozen{n}", "pay 77")) for n in range(3)]
            paths = ("/readyz", "/livez", "/metrics", f"/hooks/{'0' * 64}")
            asked = [seen(http, f"{place.url}{path}") for path in paths]
            answers = await asyncio.gather(*posts, *asked)
    finally:
        proxy.thaw()
    assert [status for status, *_ in answers] == [503, 503, 503, 503, 200, 200, 503]
    await ready(http, place.url)
    assert (await told(http, place.url, message("wamid.after", "pay 77")))[0] == 200


async def test_each_command_says_in_one_sentence_that_the_database_is_away(cuttable):
    place, proxy = cuttable
    await proxy.cut()
    commands = {
        ("serve", "--port", str(free_port())): 1,
        ("work",): 1,
        ("db", "current"): 1,
        ("db", "upgrade"): 1,
        ("tenant", "apply", "tenant.toml"): 1,
        ("ledger", "check"): 1,
        ("doctor",): 2,
    }
    for command, code in commands.items():
        said = await asyncio.to_thread(place.installation.run, *command, code=code)
        about = [line for line in said.splitlines() if "database" in line]
        assert len(about) == 1, said
        assert "does not answer" in about[0], said
        assert "Traceback" not in said
        if command != ("doctor",):
            assert said.count("\n") == 1, said
