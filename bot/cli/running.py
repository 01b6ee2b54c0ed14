"""The commands that run the program."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import refusals, settings_read

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Annotated[Path, typer.Option(help="Where it keeps its data.")] = Path(".data/sandbox"),
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was there.")] = False,
) -> None:
    """Everything on this machine: the app on PORT, emulated WhatsApp and M-Pesa with phones on PORT+1."""
    _end_when_told()
    from bot.sandbox.run import sandbox as run

    with refusals():
        run(host, port, data, reset=reset)


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Processes on the one port.")] = 1,
    *,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only take webhooks.")] = False,
) -> None:
    """The web server, with its worker inside."""
    _end_when_told()
    from bot.run import serve as run

    with refusals():
        run(settings_read(), host, port, workers, worker=not no_worker)


def work(
    host: Host = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Tell /livez, /readyz and /metrics here.")
    ] = None,
) -> None:
    """A worker alone; as many as you like, on as many machines."""
    _end_when_told()
    from bot.run import work as run

    with refusals():
        run(settings_read(), host, port)


def _end_when_told() -> None:
    """Until the process listens for it itself (`bot.run.told_to_stop`) it has nothing to finish."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
