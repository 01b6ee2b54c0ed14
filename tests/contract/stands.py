"""Stands: the providers that hold to the contract; a new one joins here."""

from tests.contract.mpesa import Mpesa
from tests.contract.paystack import Paystack
from tests.contract.paystack_prompts import PaystackPrompts
from tests.contract.pesapal import Pesapal
from tests.contract.stand import Stand
from tests.contract.stripe import Stripe

STANDS: tuple[type[Stand], ...] = (Mpesa, Paystack, PaystackPrompts, Pesapal, Stripe)
# Those that give payments back, and may be asked to.
GIVES_BACK: tuple[type[Stand], ...] = (Mpesa, Paystack, PaystackPrompts, Pesapal, Stripe)
