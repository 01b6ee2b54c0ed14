"""Asker: who answers the questions. Each has a key, by which a file answers it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import typer

from bot.parts import CannotRun

_PEM, _PEM_ENDS = "-----BEGIN ", "-----END "
Check = Callable[[str], str]  # of what was answered: as it is taken. Raises ValueError


class Asker(Protocol):
    @property
    def present(self) -> bool:
        """Somebody sits there, who can look at a phone or open a page."""
        ...

    def say(self, text: str = "") -> None: ...

    def ask(
        self, key: str, text: str, default: str | None = None, *, secret: bool = False, check: Check = str
    ) -> str:
        """`default` "" lets it be left out."""
        ...

    def confirm(self, key: str, text: str, *, default: bool = False) -> bool: ...

    def wants(self, key: str, text: str, *, default: bool = False) -> bool:
        """Whether there is to be such a part, whose answers follow: a file says so by having it."""
        ...

    def table(self, key: str) -> Mapping[str, Any] | None:
        """What a file says there as a whole, as a tenant file has it; None of a person, who is asked one by
        one."""
        ...

    def tables(self, key: str) -> list[Mapping[str, Any]] | None:
        """The same of a list of them."""
        ...

    def refused(self, key: str, why: str) -> None:
        """What was answered there is not taken, and will be asked again. Raises CannotRun where it cannot."""
        ...


class Terminal:
    """A person. What is secret is typed unseen."""

    present = True

    def say(self, text: str = "") -> None:
        typer.echo(text, err=True)

    def ask(
        self, key: str, text: str, default: str | None = None, *, secret: bool = False, check: Check = str
    ) -> str:
        while True:
            answer: str = typer.prompt(
                text, default, hide_input=secret, show_default=bool(default) and not secret, err=True
            )
            try:
                return check(self._to_its_end(answer.strip(), secret=secret))
            except ValueError as error:
                self.refused(key, str(error))

    def _to_its_end(self, answer: str, *, secret: bool) -> str:
        """A certificate or key that was pasted has many lines, and none of them answers another question."""
        while answer.startswith(_PEM) and _PEM_ENDS not in answer:
            more: str = typer.prompt(
                "", "", prompt_suffix="", hide_input=secret, show_default=False, err=True
            )
            answer = f"{answer}\n{more.strip()}"
        return answer

    def confirm(self, key: str, text: str, *, default: bool = False) -> bool:  # noqa: ARG002  of files
        return typer.confirm(text, default, err=True)

    wants = confirm

    def table(self, key: str) -> None:
        """Asked one by one."""

    tables = table

    def refused(self, key: str, why: str) -> None:  # noqa: ARG002  of files
        self.say(f"  Not taken: {why}.")


class Answers:
    """A file of the shape of a tenant file, with a table [settings] beside."""

    present = False

    def __init__(self, name: str, facts: Mapping[str, Any], say: Callable[[str], None]) -> None:
        self._name, self._facts, self._say = name, facts, say
        self._used: set[str] = set()

    def say(self, text: str = "") -> None:
        self._say(text)

    def ask(
        self,
        key: str,
        text: str,
        default: str | None = None,
        *,
        secret: bool = False,  # noqa: ARG002  a file shows nothing
        check: Check = str,
    ) -> str:
        if key in self._used:
            raise CannotRun(f"{self._name}: {key} is not taken.")
        self._used.add(key)
        told = self._at(key)
        if told is None:
            if default is None:
                raise CannotRun(f"{self._name}: {key} is missing ({text.strip()}).")
            return default
        if isinstance(told, dict | list):
            raise CannotRun(f"{self._name}: {key} must be a text in quotes.")
        try:
            return check(str(told).strip())
        except ValueError as error:
            raise CannotRun(f"{self._name}: {key} is not taken: {error}.") from None

    def confirm(self, key: str, text: str, *, default: bool = False) -> bool:  # noqa: ARG002  of people
        self._used.add(key)
        told = self._at(key)
        return default if told is None else told is not False

    def wants(self, key: str, text: str, *, default: bool = False) -> bool:  # noqa: ARG002  of people
        self._used.add(key)
        return self._at(key) not in (None, False)

    def table(self, key: str) -> Mapping[str, Any] | None:
        told = self._at(key)
        if not isinstance(told, Mapping):
            return None
        self._use_all(key)
        return told

    def tables(self, key: str) -> list[Mapping[str, Any]] | None:
        told = self._at(key)
        if not isinstance(told, list) or not all(isinstance(each, Mapping) for each in told):
            return None
        self._use_all(key)
        return told

    def _use_all(self, key: str) -> None:
        self._used.update(leaf for leaf in _leaves(self._facts) if leaf.startswith(f"{key}."))

    def refused(self, key: str, why: str) -> None:
        raise CannotRun(f"{self._name}: {key} is not taken: {why}.")

    def unused(self) -> list[str]:
        """Keys that no question has asked for: misspelt, perhaps."""
        return [key for key in _leaves(self._facts) if key not in self._used]

    def _at(self, key: str) -> Any:
        here: Any = self._facts
        for part in key.split("."):
            if isinstance(here, list):
                here = here[int(part)] if part.isdigit() and int(part) < len(here) else None
            else:
                here = here.get(part) if isinstance(here, dict) else None
        return here


def one_of(*choices: str) -> Check:
    """In any case."""
    by_name = {choice.casefold(): choice for choice in choices}

    def check(answer: str) -> str:
        if answer.casefold() not in by_name:
            raise ValueError(f"one of these: {', '.join(choices)}")
        return by_name[answer.casefold()]

    return check


def _leaves(facts: Any, path: Sequence[str] = ()) -> list[str]:
    if isinstance(facts, Mapping):
        return [leaf for key, value in facts.items() for leaf in _leaves(value, (*path, str(key)))]
    if isinstance(facts, list):
        return [leaf for n, value in enumerate(facts) for leaf in _leaves(value, (*path, str(n)))]
    return [".".join(path)]
