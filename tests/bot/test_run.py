import resource
from collections.abc import Iterator

import pytest

from bot.run import take_all_files


@pytest.fixture
def files() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_takes_as_many_files_as_the_machine_lets_it_have(files: tuple[int, int]) -> None:
    few, most = 256, files[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    take_all_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
