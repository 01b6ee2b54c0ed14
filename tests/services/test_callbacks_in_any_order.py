"""Callbacks, however the post brings them: twice, in any order, two days late, forged or against each other,
the books are as if each had been told once and in order, or somebody is told to look."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from services.safety.vault import Vault
from services.store.database import Database
from tests.conftest import BOTH
from tests.services.business import Business
from tests.services.mail import AGAINST, HONEST, KINDS, Letter, Mail

Wanted = list[tuple[str, bool]]
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def posts(draw: st.DrawFn, noise: Sequence[str]) -> tuple[Wanted, list[Letter]]:
    """What was asked for, and the letters about it: the true one of each, and others."""
    wanted = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), min_size=1, max_size=4))
    about = st.integers(0, len(wanted) - 1)
    more = draw(st.lists(st.tuples(about, st.sampled_from(noise)), max_size=6))
    letters = draw(st.permutations([*((n, "true") for n in range(len(wanted))), *more]))
    late = draw(st.sets(st.integers(0, len(letters) - 1), max_size=3))
    return wanted, [Letter(about, says, n in late) for n, (about, says) in enumerate(letters)]


class Post:
    """Brings letters on one database. Each time for a merchant of its own, since to empty it takes longer."""

    def __init__(self, url: str) -> None:
        self.runner, self.database = asyncio.Runner(), Database(url, pool_size=2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self.database.close())
        self.runner.close()

    def books(self, wanted: Wanted, letters: Sequence[Letter]) -> dict[str, Any]:
        """What they end in, which is as expected."""
        return self.runner.run(self._books(wanted, letters))

    async def _books(self, wanted: Wanted, letters: Sequence[Letter]) -> dict[str, Any]:
        mail = Mail(await Business(self.database, Vault([bytes(range(32))])).open(payment_fee_ppm=25_000))
        await mail.send(wanted)
        for letter in letters:
            await mail.bring(letter)
        ends, alarm = mail.expected(letters)
        assert await mail.ends() == ends
        assert await mail.alarmed() == alarm
        return await mail.books()


def told(books: dict[str, Any]) -> dict[str, Any]:
    """But for what was noted on the way, as that a prompt was given up, or a forgery came."""
    on_the_way = ("audit", "payments.status", "attempts.state", "jobs.kind")
    return {name: what for name, what in books.items() if name not in on_the_way}


@pytest.mark.parametrize("url", BOTH, indirect=True)
def test_honest_post_ends_as_if_all_had_been_told_once_and_in_order(url: str, examples: int) -> None:
    @settings(PATIENT, max_examples=examples)
    @given(posts(HONEST))
    def same(post: tuple[Wanted, list[Letter]]) -> None:
        wanted, letters = post
        plain = brings.books(wanted, [Letter(n) for n in range(len(wanted))])
        assert told(brings.books(wanted, letters)) == told(plain)

    with Post(url) as brings:
        same()


@pytest.mark.parametrize("url", BOTH, indirect=True)
def test_what_contradicts_itself_moves_nothing_twice_and_is_looked_at(url: str, examples: int) -> None:
    @settings(PATIENT, max_examples=2 * examples)
    @given(posts((*HONEST, *AGAINST)))
    def looked_at(post: tuple[Wanted, list[Letter]]) -> None:
        brings.books(*post)

    with Post(url) as brings:
        looked_at()


@pytest.mark.postgres
def test_both_databases_end_in_the_same_books_and_have_noted_the_same(
    sqlite_file: str, postgres_url: str
) -> None:
    @seed(20261128)
    @settings(PATIENT, max_examples=3)
    @given(posts((*HONEST, *AGAINST)))
    def same(post: tuple[Wanted, list[Letter]]) -> None:
        assert one.books(*post) == other.books(*post)

    with Post(sqlite_file) as one, Post(postgres_url) as other:
        same()


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    name: str = request.getfixturevalue("postgres_url" if request.param == "postgres" else "sqlite_file")
    return name


@pytest.fixture
def examples(url: str) -> int:
    return 4 if url.startswith("postgresql") else 6


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path / 'mail.db')}"
