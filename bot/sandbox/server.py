"""Server: all emulators and the phones page as one web application.

It shares no code with what speaks to the real WhatsApp and M-Pesa here: a mistake must not cancel out.
"""

from collections.abc import AsyncIterator

from aiohttp import web

from bot.sandbox.chats import Chats
from bot.sandbox.control import Control
from bot.sandbox.control_disputes import DisputeControl
from bot.sandbox.control_paystack import PaystackControl
from bot.sandbox.control_statements import StatementControl
from bot.sandbox.control_stripe import StripeControl
from bot.sandbox.control_webhooks import WebhookControl
from bot.sandbox.control_world import WorldControl
from bot.sandbox.daraja import Daraja
from bot.sandbox.graph import Graph
from bot.sandbox.paystack import Paystack
from bot.sandbox.paystack_page import PaystackPage
from bot.sandbox.pesapal import Pesapal
from bot.sandbox.phones import Page, guard
from bot.sandbox.receiver import Receiver
from bot.sandbox.stage import stage_of
from bot.sandbox.stripe import Stripe
from bot.sandbox.stripe_page import StripePage
from bot.sandbox.world import World


def emulators(world: World) -> web.Application:
    """Graph API at `/v25.0/...`, Daraja at `/oauth` and `/mpesa`, the others under their names, the shop's
    own program at `/shop`, the page at `/`, its API at `/control`."""
    stage = stage_of(world)
    chats, daraja, page = Chats(stage), Daraja(stage), Page(stage)
    paystack, pesapal, stripe = Paystack(stage), Pesapal(stage), Stripe(stage)
    receiver = Receiver(stage)

    async def live(_app: web.Application) -> AsyncIterator[None]:
        stage.wire.open()
        stage.wire.start(page.watch("ledger", world.ledger))
        if world.endpoint is not None:
            stage.wire.start(page.watch("endpoint", world.endpoint.view))
        stage.wire.start(stripe.watch())
        yield
        await stage.wire.close()

    async def end_events(_app: web.Application) -> None:
        stage.feed.close()

    app = web.Application(middlewares=[guard])
    app.add_routes([*Graph(chats).routes(), *daraja.routes(), *paystack.routes(), *pesapal.routes()])
    app.add_routes(PaystackPage(paystack.charges).routes())
    app.add_routes([*stripe.routes(), *StripePage(stripe).routes(), *StripeControl(stripe).routes()])
    app.add_routes(Control(chats, daraja, (paystack, pesapal, stripe), receiver).routes())
    app.add_routes([*receiver.routes(), *WebhookControl(stage, receiver).routes()])
    app.add_routes(WorldControl(stage).routes())
    app.add_routes(StatementControl(stage, daraja).routes())
    app.add_routes([*PaystackControl(stage, paystack).routes(), *DisputeControl(paystack, stripe).routes()])
    app.add_routes([web.get("/media/{media}", chats.media.show)])
    app.add_routes(page.routes())
    app.on_response_prepare.append(page.add_headers)
    app.on_shutdown.append(end_events)
    app.cleanup_ctx.append(live)
    return app
