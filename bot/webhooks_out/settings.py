"""Settings of webhooks to tenants' own systems (LIPACHAT_WEBHOOKS__ALLOW_LOOPBACK)."""

from pydantic import BaseModel


class WebhooksSettings(BaseModel):
    allow_loopback: bool = False  # endpoints on this machine: for the sandbox and tests
