"""What `db current` looks at, and `serve` before it starts."""

from services.store import upgrade
from services.store.database import Database


async def test_looking_at_a_database_that_is_not_there_makes_none(tmp_path):
    path = tmp_path / "new" / "lipachat.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    assert await upgrade.current(database) is None
    await database.close()
    assert not path.exists()
