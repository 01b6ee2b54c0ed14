"""Forking: has the whole program loaded and starts processes of it, each the command line as it is, without
the two seconds that loading takes.

A line on the standard input, {"arguments", "environment", "folder", "log"}, starts one; a line on the
standard output tells of it: {"pid"}, and {"pid", "code"} once it has ended.
"""

import importlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

from main import app

_LOADED = ("bot.commands.audit", "bot.commands.tenants", "bot.run", "services.store.upgrade")
_LOOK_SECONDS = 0.01


def main() -> None:
    for module in _LOADED:
        importlib.import_module(module)
    living: set[int] = set()
    orders = os.fdopen(0, "rb", buffering=0)
    while True:
        if select.select([orders], [], [], _LOOK_SECONDS)[0]:
            line = orders.readline()
            if not line:
                break
            pid = os.fork()
            if pid == 0:
                _become(json.loads(line))
            living.add(pid)
            _say({"pid": pid})
        living.discard(_tell_of_the_dead())
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _become(order: dict[str, Any]) -> None:
    """Never returns."""
    code = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for standard in (1, 2):
            os.dup2(log, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(Path(order["folder"]))
        os.environ.clear()
        os.environ.update(order["environment"])
        app(order["arguments"], prog_name="main.py")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell_of_the_dead() -> int:
    """The one who has died, or 0."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0
    if pid:
        _say({"pid": pid, "code": os.waitstatus_to_exitcode(status)})
    return pid


def _say(told: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
