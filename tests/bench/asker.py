"""Asker: asks one call of an API again and again over some connections, each after the answer to the last:
`python -m tests.bench.asker PLAN`, and prints what came of it.

The plan, in JSON: `port`, `seconds`, `connections`; `request`: head and body as text, in which # is a number
of seven digits that no other request has.
"""

import asyncio
import itertools
import json
import re
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from tests.bench.load import quantiles

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WARMUP = 1.0


async def asked(port: int, seconds: float, connections: int, request: str) -> dict[str, Any]:
    numbers = itertools.count(time.time_ns() % 5_000_000)
    took, statuses = list[float](), Counter[str]()
    end = 0.0

    async def go_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (began := time.perf_counter()) < end:
            writer.write(request.replace("#", f"{next(numbers):07}").encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            took.append(time.perf_counter() - began)
            statuses[head.split(b" ", 2)[1].decode()] += 1

    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    for length in (_WARMUP, seconds):
        took.clear()
        statuses.clear()
        began = time.perf_counter()
        end = began + length
        await asyncio.gather(*(go_on(*pair) for pair in pairs))
        elapsed = time.perf_counter() - began
    for _, writer in pairs:
        writer.close()
    return {"per_second": len(took) / elapsed, "ms": quantiles(took), "statuses": dict(statuses)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(asked(**json.loads(sys.argv[1])))))
