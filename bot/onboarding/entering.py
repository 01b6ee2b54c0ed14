"""Entering: what is entered at Meta and at each provider, so that they tell us what happens."""

from collections.abc import Iterator

from bot.doctor.meta import PATH
from bot.settings import Settings
from bot.whatsapp.account import WANTED
from services.people.file_parts import TenantFile

_STRIPE = (
    "checkout.session.*, payment_intent.succeeded, payment_intent.payment_failed, refund.*, charge.dispute.*"
)


def to_enter(settings: Settings, file: TenantFile) -> Iterator[str]:
    """Line by line."""
    url, slug, known = settings.public_url, file.tenant.slug, file.providers
    yield "What to enter, once the server runs (python main.py serve):"
    yield "  Meta (your app, WhatsApp, Configuration, Webhook)"
    yield f"    Callback URL:  {url}{PATH}"
    yield "    Verify token:  LIPACHAT_WHATSAPP__VERIFY_TOKEN, as it is in .env"
    yield f"    Subscribe to:  {', '.join(WANTED)}"
    if known.mpesa is not None:
        yield "  M-Pesa: nothing; each request carries its address"
        yield f"    For what is paid by hand, once:  python main.py tenant register {slug}"
    if known.paystack is not None:
        yield "  Paystack (Settings, API Keys & Webhooks)"
        yield f"    Webhook URL:   {url}/hooks/paystack/{slug}"
        yield "    And in Preferences: Confirm transfers before sending, off"
    if known.pesapal is not None:
        yield "  Pesapal: nothing; its address is registered with the first payment"
    if known.stripe is not None:
        yield "  Stripe (Developers, Webhooks)"
        yield f"    Endpoint URL:  {url}/hooks/stripe/{slug}"
        yield f"    Events:        {_STRIPE}"
        if known.stripe.webhook_secret is None:
            yield "    Its signing secret: add it to [providers.stripe] as webhook_secret, and apply the file"
