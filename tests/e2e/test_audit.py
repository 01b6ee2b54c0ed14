"""The audit from the command line, as an operator and as whoever rules the database."""

import json
import sqlite3

from tests.e2e.installation import Installation
from tests.services.people.registry import SMALL


def test_what_the_database_hides_the_anchors_tell(tmp_path):
    folder, base = tmp_path / "anchors", f"sqlite+aiosqlite:///{tmp_path}/lipachat.db"
    installation = Installation(tmp_path, LIPACHAT_DATABASE_URL=base, LIPACHAT_AUDIT__ANCHOR=str(folder))
    installation.run("db", "upgrade")
    path = tmp_path / "shop.toml"
    path.write_text(SMALL)
    installation.run("tenant", "apply", str(path))
    assert json.loads(installation.run("audit", "anchor"))["anchored"] == 1
    good = json.loads(installation.run("audit", "verify"))
    assert (good["ok"], good["tenants"], good["entries"], good["anchors"]["files"]) == (True, 1, 1, 1)

    with sqlite3.connect(tmp_path / "lipachat.db") as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM audit")
        database.execute("DELETE FROM audit_heads")
    (finding,) = json.loads(installation.run("audit", "verify", code=1))["findings"]
    assert (finding["finding"], finding["position"]) == ("cut", 1)
