"""Base: what every kind of news is."""

from pydantic import BaseModel, ConfigDict


class BaseNews(BaseModel):
    """Frozen; `kind` is what is stored."""

    model_config = ConfigDict(frozen=True)
