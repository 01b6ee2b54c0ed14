"""What a process counts: with labels that nobody outside can add to, and together with its siblings."""

import asyncio
import os
import random
import re
import string
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import metrics
from bot.api.every import ROUTES
from bot.sending.statuses import _count
from bot.whatsapp.prices import CATEGORIES, TYPES, price_of
from services.ids import new_id
from services.providers import PROVIDERS
from tests.bot.caller import caller
from tests.bot.door import envelope, opened, text

# Of our own code, none of which follows from what is asked or told.
WORDS = {
    "method": {"GET", "POST", "PUT", "DELETE", "PATCH", "other"},
    "route": {route.path for route in ROUTES} | {"other"},
    "provider": {*PROVIDERS, "unsigned"},
    "category": CATEGORIES | {"other"},
    "type": TYPES | {"other"},
    "status": None,  # three digits
}


def series():
    return {
        (sample.name, *sorted(sample.labels.items()))
        for family in metrics.registry.collect()
        for sample in family.samples
    }


async def test_a_day_of_strange_requests_adds_no_series(database, vault):
    chance = random.Random(7)

    def junk(length=12):
        return "".join(chance.choices(string.ascii_lowercase + string.digits + "-_.", k=length))

    async def day():
        for _ in range(60):
            method = chance.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", junk().upper()))
            path = f"{door.url}/api/v1/{junk()}/{junk()}"
            async with door.http.request(method, path, headers={"X-TENANT-API-KEY": junk(40)}) as answer:
                assert answer.status in (400, 401, 405, 429), answer.status
            await kamau.get(f"/payments/{junk()}")
            await kamau.get(f"/{junk()}")
            await door.post(f"/hooks/{junk()}", b"{}")
            await door.post(f"/hooks/paystack/{junk()}", b"{}")
            strange = {"pricing": {"category": junk(8).strip("-_."), "type": junk(8)}}
            if (price := price_of(strange)) is not None:
                _count([(new_id(), price)], [], datetime.now(UTC))
            await door.update(envelope(text(junk(), junk(), type=junk())))

    async with opened(database, vault) as door:
        kamau = await caller(door, await door.open_shop(), "Kamau")
        await day()
        first = series()
        await day()
        assert series() - first <= {each for each in series() if "_created" in each[0]}
    for name, *labels in series():
        for label, value in labels:
            if label in WORDS and (allowed := WORDS[label]) is not None:
                assert value in allowed, (name, label, value)
            elif label == "status":
                assert re.fullmatch(r"\d{3}", value), (name, value)
    assert len(series()) < 6000


PROGRAM = """
import sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from bot import metrics
metrics.share(Path(sys.argv[1]))
metrics.turns.labels("played").inc(int(sys.argv[2]))
metrics.turn_seconds.observe(0.02)
print(metrics.exposition(CollectorRegistry()).decode())
"""


def test_processes_that_share_a_folder_tell_of_all():
    with metrics.shared_folder() as folder:
        try:
            runs = [
                subprocess.run(
                    [sys.executable, "-c", PROGRAM, str(folder), str(number)],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for number in (3, 4)
            ]
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        assert list(folder.iterdir())
    assert not folder.exists()
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(runs[1])
        for sample in family.samples
    }
    assert told["lipachat_turns_total", "played"] == 7
    assert told["lipachat_turn_seconds_count",] == 2
    assert told["lipachat_turn_seconds_bucket", "0.025"] == 2
    assert 'pid="' not in runs[1]


async def test_what_is_read_and_what_is_counted_are_one_page(database, vault):
    async with opened(database, vault) as door:
        page = (await door.get("/metrics")).text
    names = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert {"lipachat_turns_total", "lipachat_queue_depth"} <= set(names)


@pytest.mark.promtool
async def test_prometheus_reads_the_whole_page(database, vault):
    async with opened(database, vault) as door:
        page = (await door.get("/metrics")).text
    done = await asyncio.to_thread(checked, page)
    assert [line for line in done.stderr.splitlines() if "error" in line.lower()] == []


def checked(page):
    command = ["promtool", "check", "metrics"]
    return subprocess.run(command, input=page, capture_output=True, text=True, check=False)
