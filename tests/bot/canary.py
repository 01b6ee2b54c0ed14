"""Canary: what an exception or somebody's answer may say, and no column may keep."""

SECRETS = ("712345678", "722 000 111", "hunter22", "EAAGm0PX4ZCpsBA", "0f" * 32)
CANARY = (
    f"https://pay.example/hooks/{SECRETS[4]} of +254{SECRETS[0]} and 0{SECRETS[1]}, "
    f"password={SECRETS[2]}, Bearer {SECRETS[3]}"
)


def leaks(kept: str | None) -> list[str]:
    """Fails where nothing was kept at all."""
    assert kept
    return [secret for secret in SECRETS if secret in kept]
