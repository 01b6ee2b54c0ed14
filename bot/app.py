"""App: the parts put together. Resources open and close with the application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web

from bot import headers, security_txt
from bot.anchoring import JOB as AUDIT_ANCHOR
from bot.anchoring import Anchoring
from bot.api import docs
from bot.api.callers import Callers
from bot.api.door import Api
from bot.api.refusals import Refusals
from bot.api.routes import Where
from bot.callbacks import Callbacks
from bot.calls import Calls
from bot.chat import Chat
from bot.fetching import Fetching
from bot.flood import Flood
from bot.forms import PATH as FORMS
from bot.forms import FormDesk, FormsEndpoint, Tokens
from bot.guesses import Guesses
from bot.health import Health
from bot.http import open_session
from bot.intake import Intake
from bot.mail.mailer import Mailer
from bot.mail.posting import Posting
from bot.mail.smtp import Smtp
from bot.pace import Pace
from bot.paper.codes import Codes
from bot.parts import Parts, opened, redis_of
from bot.paying import Paying
from bot.providers import Providers
from bot.rate import Rate
from bot.reconciling import BY_HAND, Reconciling
from bot.reconciling import JOB as RECONCILE
from bot.retention import Retention
from bot.security_txt import SecurityTxt
from bot.sending.delivery import Delivery
from bot.sending.statuses import Statuses
from bot.signed_hooks import SignedHooks
from bot.turns import Turns
from bot.watching import JOB as WATCHING
from bot.watching import Watching
from bot.webhooks import MOST_BYTES, Hooks, MetaWebhook
from bot.webhooks_out import http as webhooks_out
from bot.webhooks_out.sender import Sender
from bot.whatsapp.account import Account
from bot.whatsapp.client import WhatsApp
from bot.whatsapp.expiring import JOB as TOKENS
from bot.whatsapp.expiring import Expiring
from flows.lipachat import SCRIPT
from services.batches.fetching import JOB as BATCH_FETCH
from services.jobs import MAIL_ALERT, MAIL_APPROVAL
from services.privacy.retention import JOB as RETENTION
from services.work import Via

log = structlog.get_logger()

META = web.AppKey("META", MetaWebhook)
_DRAIN_SECONDS = 20


@contextlib.asynccontextmanager
async def working(parts: Parts) -> AsyncIterator[None]:
    """The worker: turns, calls, callbacks, statuses and delivery; what it took is finished at the end."""
    settings, database, vault = parts.settings, parts.database, parts.vault
    tenants, bell, clock = parts.tenants, parts.bell, parts.clock
    loopback = settings.webhooks.allow_loopback
    async with open_session() as http, webhooks_out.open_session(loopback=loopback) as tenants_http:
        whatsapp = WhatsApp(http, settings.whatsapp.graph_url, settings.whatsapp.api_version)
        providers = Providers(database, vault, tenants, http, settings.provider_urls, clock)
        delivery = Delivery(database, vault, tenants, whatsapp, bell, clock, codes=Codes(providers))
        anchoring = Anchoring(database, vault, clock, settings.audit.anchor)
        nightly = Reconciling(database, vault, providers, bell, clock, Via("clock", RECONCILE))
        retention = Retention(database, vault, clock, settings.retention)
        own = {
            AUDIT_ANCHOR: anchoring.as_job,
            BY_HAND: nightly.as_frequent_job,
            RECONCILE: nightly.as_job,
            RETENTION: retention.as_job,
        }
        others = {BATCH_FETCH: Fetching(database, vault, tenants, whatsapp, clock).as_job}
        if (server := settings.smtp.server) is not None:
            mailer = _mailer(parts, server)
            others |= dict.fromkeys((MAIL_ALERT, MAIL_APPROVAL), mailer.as_job)
        posting = Posting(database, vault, clock, settings.smtp.addresses, on=server is not None)
        own[WATCHING] = Watching(database, vault, bell, clock, posting, (TOKENS,)).as_job
        account = Account(http, settings.whatsapp.graph_url, settings.whatsapp.api_version)
        own[TOKENS] = Expiring(database, vault, tenants, account, clock).as_job
        public = settings.public_url
        calls = Calls(database, vault, providers, bell, clock, public, own=own, others=others)
        forms = Tokens(vault, clock) if settings.whatsapp.forms_key is not None else None
        chat = Chat(SCRIPT, vault, tenants, clock, forms)
        turns = Turns(database, vault, chat, delivery, bell, clock)
        callbacks = Callbacks(database, vault, providers, bell, clock)
        statuses = Statuses(database, vault, bell, clock)
        webhooks = Sender(database, vault, tenants_http, bell, clock)
        runs = (turns.run, callbacks.run, statuses.run, calls.run, delivery.run, webhooks.run, anchoring.run)
        tasks = [asyncio.create_task(lasting(run)) for run in runs]
        try:
            yield
        finally:
            try:
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await _stop(tasks)
                    await calls.drain()
                    await delivery.drain()
                    await webhooks.drain()
            except TimeoutError:
                log.warning("worker.broken_off")
                await _stop(tasks)


def _mailer(parts: Parts, server: Smtp) -> Mailer:
    smtp = parts.settings.smtp
    sender = smtp.sent_by(parts.settings.public_url)
    return Mailer(parts.database, parts.vault, parts.clock, server, sender, smtp.addresses)


async def lasting(run: Callable[[], Awaitable[object]], *, after_seconds: float = 1.0) -> None:
    """A loop that ends although nobody stopped it is logged and begun again: a process that lives on
    without one of its loops looks healthy, and leaves people without an answer."""
    task = asyncio.current_task()
    while True:
        try:
            await run()
            log.error("worker.loop_ended", loop=run.__qualname__)
        except asyncio.CancelledError:
            if task is None or task.cancelling():
                raise
            log.exception("worker.loop_cancelled", loop=run.__qualname__)  # by something inside
        except Exception:
            log.exception("worker.loop_failed", loop=run.__qualname__)
        await asyncio.sleep(after_seconds)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    """Each loop finishes what it has taken; told a second time it breaks off: a transaction that is
    cancelled rolls back, and its work is claimed again."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def health_app(parts: Parts) -> web.Application:
    """What a worker alone tells of itself."""
    app = web.Application()
    Health(parts.database, parts.clock).add_to(app)
    return app


def web_app(parts: Parts, *, worker: bool) -> web.Application:
    """The routes; with the worker inside where `worker`."""
    settings, clock = parts.settings, parts.clock
    pace = Pace(parts.database, clock) if worker else None
    rate = Rate(clock, redis_of(settings.redis_url))
    guesses = Guesses(rate, settings.api.wrong_per_minute)
    flood = Flood(rate, settings.whatsapp.per_minute, parts.vault.derived("flood")[0])
    intake = Intake(parts.database, parts.vault, parts.tenants, parts.bell, clock, pace, flood)
    facing: Any = {"proxies": settings.proxies, "guesses": guesses}
    token = settings.whatsapp.verify_token.get_secret_value()
    meta = MetaWebhook(intake, settings.whatsapp.app_secrets, token, **facing)
    signed = SignedHooks(
        parts.database, parts.vault, parts.tenants, parts.bell, clock, proxies=settings.proxies
    )
    hooks = Hooks(parts.database, parts.vault, parts.bell, clock, **facing)
    health = Health(parts.database, clock)
    refusals = Refusals(parts.database, parts.vault, clock)

    async def live(_app: web.Application) -> AsyncIterator[None]:
        async with opened(parts), contextlib.aclosing(rate), refusals.kept():
            if pace is None:
                yield
                return
            async with contextlib.aclosing(pace), working(parts):
                yield

    async def draining(_app: web.Application) -> None:
        health.draining = True

    app = web.Application(client_max_size=MOST_BYTES)
    app[META] = meta
    app.router.add_get("/webhooks/whatsapp", meta.handshake)
    app.router.add_post("/webhooks/whatsapp", meta.updates)
    signed.add_to(app)
    for method in ("GET", "POST"):
        app.router.add_route(method, "/hooks/{token}", hooks.called)
        app.router.add_route(method, "/hooks/{token}/{rest:.*}", hooks.called)
    if (key := settings.whatsapp.forms) is not None:
        desk = FormDesk(SCRIPT, parts.database, parts.vault, parts.tenants, Tokens(parts.vault, clock))
        app.router.add_post(FORMS, FormsEndpoint(key, settings.whatsapp.app_secrets, desk).exchange)
    Paying(parts.database, parts.vault, parts.tenants, parts.bell, clock).add_to(app)
    docs.add_to(app)
    callers = Callers(parts.database, parts.vault, clock, rate, refusals, settings.api, settings.proxies)
    where = Where(settings.public_url, settings.webhooks.allow_loopback)
    Api(parts.database, parts.vault, parts.tenants, parts.bell, clock, callers, where).add_to(app)
    contacts = settings.security.contacts
    app.router.add_get(security_txt.PATH, SecurityTxt(contacts, settings.public_url, clock).shown)
    headers.add_to(app, settings.public_url)
    health.add_to(app)
    app.cleanup_ctx.append(live)
    app.on_shutdown.append(draining)
    return app
