"""Onboarding: `main.py init` asks for what an installation and its first tenant need, and tries each of it.

What was answered and proven stands in `.env` and in the tenant file at once, so that it may be broken off at
any question: the same command asks for the rest. Nothing secret is shown or logged.

    asker      who answers: a person at a terminal, or a file
    files      `.env` and the tenant file, for their owner's eyes
    variables  what the installation needs
    meta       the WhatsApp number, its token, and the app's secret
    shop       the tenant, its staff, where its withdrawals go
    accounts   the providers' keys
    trial      a small amount, where somebody says yes
    entering   what is entered at Meta and at the providers
    wizard     all of it, one after the other
"""
