"""A process that is told to stop while it starts: it ends well, whatever it was doing."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import prepared
from tests.e2e.phones import two_free_ports
from tests.servers import free_port

_MOMENTS = (0.0, 0.3, 0.8)  # amid its imports, before it serves, and about then


def hears(process, number):
    """Whether it has anything to say to the signal yet: a new interpreter has not."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


async def ended(installation, arguments, number, moment, *, group=False):
    """Its exit code, having been told at this moment after it began."""
    installation.fresh = True
    process = installation.start(*arguments, leads=group)
    while not hears(process, signal.SIGTERM):
        assert process.poll() is None
        await asyncio.sleep(0.002)
    await asyncio.sleep(moment)
    (os.killpg if group else os.kill)(process.pid, number)
    return await asyncio.to_thread(process.wait, 40)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("serve", signal.SIGTERM),
        pytest.param("serve", signal.SIGINT, marks=pytest.mark.full),
        pytest.param("work", signal.SIGTERM, marks=pytest.mark.full),
        ("sandbox", signal.SIGINT),
    ],
)
async def test_whoever_is_told_to_stop_while_starting_ends_well(command, number, outside, tmp_path):
    ports = {"serve": ("--port", str(free_port())), "sandbox": ("--port", str(two_free_ports())), "work": ()}
    async with prepared(tmp_path, outside, f"sqlite+aiosqlite:///{tmp_path}/lipachat.db") as place:
        for moment in _MOMENTS:
            assert await ended(place.installation, (command, *ports[command]), number, moment) == 0
            assert moment or place.installation.logs() == ""  # it did not first have to be ready
        assert "Traceback" not in place.installation.logs()


@pytest.mark.postgres
@pytest.mark.parametrize(("number", "group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
async def test_so_do_several_on_one_port(number, group, postgres_database, outside, tmp_path):
    """From a terminal the children are told as well."""
    async with prepared(tmp_path, outside, postgres_database) as place:
        command = ("serve", "--port", place.port, "--workers", "2")
        for moment in (*_MOMENTS, 1.5):
            assert await ended(place.installation, command, number, moment, group=group) == 0
        assert "Traceback" not in place.installation.logs()
