"""Commas: variables that hold several values."""


def listed(value: str) -> list[str]:
    """What stands between the commas, without empty ones."""
    return [part.strip() for part in value.split(",") if part.strip()]
