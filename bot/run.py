"""Run: the processes. Each drains what it took before it ends."""

import asyncio
import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from multiprocessing import resource_tracker
from pathlib import Path

import structlog
import uvloop
from aiohttp import web

from bot import log as logging
from bot import metrics, tracing
from bot.app import META, health_app, web_app, working
from bot.door import Doors
from bot.parts import CannotRun, opened, parts_of, refuse_old_schema
from bot.restored import refuse_restored
from bot.settings import Settings
from bot.webhooks import MetaWebhook
from services import points

log = structlog.get_logger()

_GRACE_SECONDS = 10
_YOUNG_OBJECTS = 20_000
_IDLE_SECONDS = 75.0  # longer than most proxies keep a connection that they do not use
_STOPPING = (signal.SIGTERM, signal.SIGINT)


def serve(settings: Settings, host: str, port: int, workers: int, *, worker: bool) -> None:
    """Until SIGTERM or SIGINT. Raises CannotRun."""
    if workers > 1 and settings.database_url.startswith("sqlite"):
        raise CannotRun("SQLite serves one process only: leave out --workers, or use PostgreSQL.")
    _refuse_untraceable(settings)
    uvloop.run(refuse_old_schema(settings))
    if worker:
        uvloop.run(refuse_restored(settings))
    bound = bind(host, port)
    if workers == 1:
        _serve_one(settings, bound, worker=worker)
        return
    with _numbers_shared() as folder:
        context = multiprocessing.get_context("spawn")
        children = [
            context.Process(target=_serve_child, args=(settings, bound, worker, folder), name=f"lipachat-{n}")
            for n in range(workers)
        ]
        _until_told(children)


@contextlib.contextmanager
def _numbers_shared() -> Iterator[Path]:
    """Raises CannotRun."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(metrics.shared_folder())
        except OSError as error:
            raise CannotRun(f"No temporary folder (TMPDIR) to count in together: {error}.") from error
        yield folder


def work(settings: Settings, host: str = "127.0.0.1", port: int | None = None) -> None:
    """A worker alone, until SIGTERM or SIGINT; with a `port` it tells there how it is. Raises CannotRun."""
    _refuse_untraceable(settings)
    uvloop.run(refuse_old_schema(settings))
    uvloop.run(refuse_restored(settings))
    bound = None if port is None else bind(host, port)
    logging.configure(settings.log_format, settings.log_level)
    points.arm(settings.crash)
    take_all_files()
    tracing.start(settings.otlp_endpoint)
    uvloop.run(_work(settings, bound))
    tracing.stop()


def _refuse_untraceable(settings: Settings) -> None:
    """Raises CannotRun."""
    if settings.otlp_endpoint is not None and not tracing.is_installed():
        raise CannotRun(
            "LIPACHAT_OTLP_ENDPOINT is set, and OpenTelemetry is not installed. Run: "
            "pip install -c constraints.txt -e '.[otel]'"
        )


def take_all_files() -> None:
    """As many as the machine lets us have open: hundreds of calls may wait for a provider that says nothing,
    and many shells begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:  # macOS names a limit that it does not grant
        log.info("files.limited", to=soft, why=str(error))


def bind(host: str, port: int) -> socket.socket:
    """Raises CannotRun."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024, reuse_port=False)
    except OSError as error:
        cause = (error.strerror or str(error)).partition(" (")[0]
        raise CannotRun(f"Cannot listen on {_netloc(host, port)}: {cause}.") from error


def address(host: str, port: int) -> str:
    """As it is opened in a browser."""
    return f"http://{_netloc(host, port)}"


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _serve_child(settings: Settings, bound: socket.socket, worker: bool, numbers: Path) -> None:  # noqa: FBT001  passed by position to a process
    metrics.share(numbers)
    _serve_one(settings, bound, worker=worker)


def _serve_one(settings: Settings, bound: socket.socket, *, worker: bool) -> None:
    logging.configure(settings.log_format, settings.log_level)
    points.arm(settings.crash)
    take_all_files()
    tracing.start(settings.otlp_endpoint)
    uvloop.run(_serve(settings, bound, worker=worker))
    tracing.stop()


async def _serve(settings: Settings, bound: socket.socket, *, worker: bool) -> None:
    told = told_to_stop()
    app = web_app(parts_of(settings), worker=worker)
    async with listening(app, bound):
        spare_the_collector()
        log.info("serving", address=address(*bound.getsockname()[:2]), worker=worker)
        await told.wait()
        log.info("draining")


@contextlib.asynccontextmanager
async def listening(
    app: web.Application, bound: socket.socket, idle_seconds: float = _IDLE_SECONDS
) -> AsyncIterator[None]:
    """`idle_seconds`: for the next request to begin, and for the whole of its head to come."""
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=_GRACE_SECONDS,
        keepalive_timeout=idle_seconds,
        auto_decompress=False,  # signatures are over the bytes as they came
    )
    await runner.setup()
    site = _through_doors(app[META], runner, bound, idle_seconds) if META in app else _plainly(runner, bound)
    try:
        async with site:
            yield
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _plainly(runner: web.AppRunner, bound: socket.socket) -> AsyncIterator[None]:
    await web.SockSite(runner, bound).start()
    yield


@contextlib.asynccontextmanager
async def _through_doors(
    meta: MetaWebhook, runner: web.AppRunner, bound: socket.socket, idle_seconds: float
) -> AsyncIterator[None]:
    assert runner.server is not None  # noqa: S101  it is set up
    doors = Doors(meta, runner.server)
    server = await asyncio.get_running_loop().create_server(doors, sock=bound)
    sweeping = asyncio.create_task(doors.sweep(idle_seconds))
    try:
        yield
    finally:
        server.close()
        sweeping.cancel()
        await doors.close(_GRACE_SECONDS)


async def _work(settings: Settings, bound: socket.socket | None) -> None:
    told, parts = told_to_stop(), parts_of(settings)
    telling = contextlib.nullcontext() if bound is None else listening(health_app(parts), bound)
    async with opened(parts), working(parts), telling:
        spare_the_collector()
        log.info("working")
        await told.wait()
        log.info("draining")


def spare_the_collector() -> None:
    """What is there after the start stays; looking through it again and again costs long pauses. What comes
    later is mostly freed as it goes, without the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


def told_to_stop() -> asyncio.Event:
    """Set once SIGTERM or SIGINT has come. Asked for before anything is opened, so that it is closed too."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    parent = multiprocessing.parent_process()
    if parent is not None:  # a child whose parent was killed would keep the port
        loop.add_reader(parent.sentinel, stop.set)
    return stop


def _until_told(children: Sequence[multiprocessing.process.BaseProcess]) -> None:
    """Starts them and passes the signal on; when one dies by itself, all end, so that a supervisor sees it.

    A signal that comes while they start waits until it can be heard: they inherit the blocking of it.
    """
    told = False

    def stop(*_: object) -> None:
        nonlocal told
        told = True
        for child in children:
            if child.is_alive():
                child.terminate()

    resource_tracker.ensure_running()  # else the first start does that, and ends the blocking
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    for child in children:
        child.start()
    for number in _STOPPING:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    multiprocessing.connection.wait([child.sentinel for child in children])
    died = not told
    stop()
    for child in children:
        child.join()
    stopped = (0, -signal.SIGTERM)  # the latter where it had just ended
    sys.exit(1 if died or any(child.exitcode not in stopped for child in children) else 0)
