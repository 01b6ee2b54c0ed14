"""Page: the figures as docs/performance.md, with a plot."""

from datetime import UTC, datetime

from tests.bench.measures import (
    BACKENDS,
    KIND_RATE,
    KINDS,
    NAMES,
    OPEN_RATE,
    PEER_RATE,
    Figures,
    machine,
)

ACKS, REPLIES = "acks_per_second", "replies_per_second"
KINDS_TITLE = "## Turns by kind"
INTAKE_TARGET, TURNS_TARGET, OVERLOAD_TARGET = 0.5, 3.0, 0.8


def page(figures: Figures) -> list[str]:
    return [*_head(figures), *_intake(figures), *_turns(figures), *_rest(figures), "", *kinds(figures)]


def kinds(figures: Figures) -> list[str]:
    """Turns by kind: a section of its own, which can be measured alone."""
    rows = [
        KINDS_TITLE,
        "",
        f"From the webhook sent to the reply received, at {KIND_RATE} messages a second over 64 conversations, so that",
        f"a turn waits for no other. Measured on {datetime.now(UTC):%Y-%m-%d}, {machine()}.",
        "",
        f"| median / p99, ms | {' | '.join(NAMES[backend] for backend in BACKENDS)} |",
        "|---|" + "--:|" * len(BACKENDS),
    ]
    for kind in KINDS:
        runs = [f"{backend} kind {kind}" for backend in BACKENDS]
        cells = [
            f"{figures.median(run, 'turn_ms', 'p50'):.1f} / {figures.median(run, 'turn_ms', 'p99'):.1f}"
            for run in runs
        ]
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    return [*rows, ""]


def with_section(page: str, title: str, section: list[str]) -> str:
    """The page with one section made anew, or added at its end."""
    before, _, rest = page.partition(title)
    _, heading, after = rest.partition("\n## ")
    return before.rstrip("\n") + "\n\n" + "\n".join(section) + heading + after


def _head(figures: Figures) -> list[str]:
    return [
        "# Performance",
        "",
        "Made by `python -m tests.bench --write` (it needs the extra `bench`, PostgreSQL and Redis); what is",
        "claimed are the ratios, each to a reference taken in the same round. The load generator, the stub of",
        "the Graph API, the databases and the measured processes share the machine, and nothing is pinned.",
        "",
        f"{machine()}. {datetime.now(UTC):%Y-%m-%d}, {figures.rounds} rounds of {figures.seconds:g} seconds; medians.",
        "Every database commits to disk before a 200 is answered (`synchronous=FULL`, `synchronous_commit=on`).",
        "",
        "![Replies per second](images/performance.svg)",
    ]


def _intake(figures: Figures) -> list[str]:
    rows = [
        "",
        "## Durable intake",
        "",
        "Signed text messages over 32 keep-alive connections to one process without a worker. The floor is a",
        "bare aiohttp server that checks the HMAC and stores nothing.",
        "",
        "| | acks/s | of the floor | target | p99 at half of that load |",
        "|---|--:|--:|--:|--:|",
        f"| floor | {figures.median('floor', ACKS):,.0f} | 1.00 | | |",
    ]
    for backend in BACKENDS:
        name = f"intake {backend}"
        rows.append(
            f"| {NAMES[backend]} | {figures.median(name, ACKS):,.0f} | {figures.ratio(name, 'floor', ACKS):.2f} "
            f"| {INTAKE_TARGET:.2f} | {figures.median(f'half {backend}', 'ack_ms', 'p99'):.1f} ms |"
        )
    return rows


def _turns(figures: Figures) -> list[str]:
    peer = figures.median("peer", REPLIES)
    rows = [
        "",
        "## Whole turns",
        "",
        "A webhook in; event, new place and reply committed; the reply received by a stub of the Graph API; 32",
        "conversations, each waiting for its reply. The peer is an echo bot on pywa's async client with FastAPI,",
        "which keeps everything in memory. *Overload*: the next message right after the 200, replies not waited",
        f"for. *Open*: {OPEN_RATE} messages a second, whatever the answers do; latency from the schedule.",
        "*pay 500* asks the services (saved methods), so it is played with a transaction of its own.",
        "",
        "| | replies/s | times the peer | target | p50 / p99 | overload, of that | lost | ack p99 | open p99 | pay 500 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        f"| peer | {peer:,.0f} | 1.0 | | {_times(figures, 'peer')} | | | | {figures.median('peer open', 'turn_ms', 'p99'):.0f} ms (at {PEER_RATE}/s) | |",
    ]
    for name in figures.lost:
        backend, processes = name.split()
        over = f"{name} overload"
        rows.append(
            f"| {NAMES[backend]}, {processes} process{'es' if processes != '1' else ''} "
            f"| {figures.median(name, REPLIES):,.0f} | {figures.ratio(name, 'peer', REPLIES):.1f} | {TURNS_TARGET:.1f} "
            f"| {_times(figures, name)} | {figures.ratio(over, name, REPLIES):.2f} | {figures.lost[name]} "
            f"| {figures.median(over, 'ack_ms', 'p99'):.0f} ms | {figures.median(f'{name} open', 'turn_ms', 'p99'):.1f} ms "
            f"| {figures.median(f'{name} pay', REPLIES):,.0f} |"
        )
    return rows


def _times(figures: Figures, name: str) -> str:
    return f"{figures.median(name, 'turn_ms', 'p50'):.1f} / {figures.median(name, 'turn_ms', 'p99'):.0f} ms"


def _rest(figures: Figures) -> list[str]:
    rows = [
        "",
        "## Where the time of a turn goes",
        "",
        "Samples of one `serve` under that load, by layer.",
        "",
    ]
    layers = list(dict.fromkeys(layer for shares in figures.shares.values() for layer in shares))
    rows += [f"| | {' | '.join(NAMES[b] for b in figures.shares)} |", "|---|" + "--:|" * len(figures.shares)]
    for layer in layers:
        cells = " | ".join(f"{shares.get(layer, 0):.0%}" for shares in figures.shares.values())
        rows.append(f"| {layer} | {cells} |")
    rows += [
        "",
        "## Start and memory",
        "",
        "`serve`, from its start to the first 200, and resident memory then.",
        "",
    ]
    rows += ["| | start | memory |", "|---|--:|--:|"]
    for name, (seconds, megabytes) in figures.starts.items():
        backend, processes = name.split()
        if processes == "1":
            rows.append(f"| {NAMES[backend]} | {seconds:.2f} s | {megabytes:.0f} MB |")
    return rows


def plot(figures: Figures) -> str:
    """Horizontal bars, each with its number: replies per second."""
    bars = [("pywa, in memory", figures.median("peer", REPLIES), "#8696a0")]
    for name in figures.lost:
        backend, processes = name.split()
        label = f"Lipachat, {NAMES[backend]}, {processes} process{'es' if processes != '1' else ''}"
        bars.append((label, figures.median(name, REPLIES), "#008069"))
    widest = max(value for _, value, _ in bars)
    height = 28 * len(bars) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="8" y="18" font-weight="600" fill="#111b21">Replies per second, 32 conversations</text>',
    ]
    for n, (label, value, colour) in enumerate(bars):
        y, width = 30 + 28 * n, 400 * value / widest
        parts += [
            f'<text x="8" y="{y + 15}" fill="#111b21">{label}</text>',
            f'<rect x="250" y="{y}" width="{width:.0f}" height="20" rx="3" fill="{colour}"/>',
            f'<text x="{258 + width:.0f}" y="{y + 15}" fill="#111b21">{value:,.0f}</text>',
        ]
    return "\n".join((*parts, "</svg>", ""))
