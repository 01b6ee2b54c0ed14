"""What Prometheus and whoever reads e-mail see of real processes."""

import asyncio

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.seed import SLUG
from tests.e2e.conftest import prepared
from tests.e2e.installation import ready
from tests.fakes.smtp import MailServer, serving
from tests.servers import free_port

UNKNOWN = "0" * 64


async def told(url):
    """By whichever process takes a new connection."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        page = await answer.text()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def knock(url, times):
    for _ in range(times):
        async with aiohttp.ClientSession() as http, http.post(f"{url}/hooks/{UNKNOWN}", data=b"{}") as answer:
            assert answer.status == 404


@pytest.mark.postgres
async def test_two_processes_behind_one_port_tell_the_same(postgres_database, outside, tmp_path, http):
    async with prepared(tmp_path, outside, postgres_database) as place:
        place.installation.start("serve", "--port", place.port, "--workers", "2", "--no-worker")
        await ready(http, place.url)
        await knock(place.url, 40)
        seen = [(await told(place.url))["lipachat_callbacks_total", "unsigned", "404"] for _ in range(12)]
        assert seen == [40] * 12


async def test_a_worker_alone_tells_of_itself_and_writes_e_mails(backend_url, outside, tmp_path, http):
    async with serving(MailServer()) as mail:
        environment = {
            "LIPACHAT_SMTP__URL": f"smtp://127.0.0.1:{mail.port}",
            "LIPACHAT_SMTP__OPERATORS": "ops@platform.example",
        }
        async with prepared(tmp_path, outside, backend_url, **environment) as place:
            await asyncio.to_thread(place.installation.run, "tenant", "freeze", SLUG, "--rail", "mpesa")
            port = free_port()
            place.installation.start("work", "--port", str(port))
            url = f"http://127.0.0.1:{port}"
            await ready(http, url)
            async with http.get(f"{url}/livez") as answer:
                assert answer.status == 200
            async with http.get(f"{url}/api/v1/wallet") as answer:
                assert answer.status == 404
            async with asyncio.timeout(60):
                while not mail.taken or (await told(url))["lipachat_queue_depth", "mails"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            assert mail.to == ["ops@platform.example"]
            assert "payouts.frozen" in mail.texts[0]
            assert (await told(url))["lipachat_mails_total", "alert", "sent"] == 1
            await asyncio.to_thread(place.installation.stop)
            assert "worker.loop" not in place.installation.logs()
