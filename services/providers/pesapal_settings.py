"""Settings of Pesapal: the tenant file's [providers.pesapal].

https://developer.pesapal.com: the keys come by mail with the merchant account; whether they are of its test
or its live side is decided by the address that they are taken to.
"""

from typing import Annotated

from pydantic import Field, SecretStr

from services.providers.base import ProviderSettings

Secret = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class PesapalSettings(ProviderSettings):
    """One merchant at Pesapal."""

    consumer_key: Secret
    consumer_secret: Secret

    @property
    def app(self) -> str:
        """Tokens are of the merchant, whom the consumer key names."""
        return f"pesapal:{self.consumer_key.get_secret_value()}"
