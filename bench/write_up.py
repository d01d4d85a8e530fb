"""Writes measured figures into docs/concepts/performance.md, and the plots beside it: `write_up.py RESULTS.json ...`.

What stands between the two marks of that page is replaced; nothing in it is written by hand. Of two results of one
suite, the rows of the later replace those of the earlier, and the page says which.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from driver import goals, plot, table
from driver.ratio import median
from driver.steal import without_disturbed

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/concepts/performance.md"
PLOTS = ROOT / "docs/concepts/performance"
BEGIN, END = "<!-- figures: written by bench/write_up.py -->\n", "<!-- end of figures -->\n"

# What is drawn by number of connections: its key, the plot's name, the axis's, and how many of the key's units one of those is.
GROWTH = [
    ("rate", "rate", "requests a second", 1),
    ("p99", "p99", "microseconds", 1),
    ("resident", "memory", "MB", 1e6),
]
BARS = ["hello", "fields", "flask", "django"]


def main() -> int:
    documents = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    if not documents:
        print(__doc__, file=sys.stderr)
        return 2
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PLOTS.mkdir(exist_ok=True)
    sections = [section(document) for document in joined(documents)]
    PAGE.write_text(before + BEGIN + "\n".join(sections) + END + after)
    return 0


def joined(documents: list[dict]) -> list[dict]:
    """One document for each suite. Raises ValueError for rows of one suite from two machines or networks."""
    suites: dict[str, dict] = {}
    for document in documents:
        document["results"] = [without_disturbed(result) for result in document["results"]]
        first = suites.setdefault(document["suite"], document | {"again": []})
        if document["machine"] != first["machine"]:
            raise ValueError(f"{document['suite']} was measured on {first['machine']} and on {document['machine']}")
        if document["time"] != first["time"]:
            results = {result["name"]: result for result in first["results"]}
            again = {result["name"]: result for result in document["results"]}
            first["results"] = list((results | again).values())
            first["again"] += [name for name in again if name in results]
    return list(suites.values())


def section(document: dict) -> str:
    machine = document["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, CPython {machine['python']}"
    where += f"; {machine['network']}"
    lines = [f"\n### {document['suite']}: {document['time'][:10]}, {where}\n"]
    lines += ["| server | version | settings |", "|---|---|---|"]
    for name, peer in document["peers"].items():
        lines.append(f"| {name} | {peer['version']} | {peer['settings']}<br>`{peer['command']}` |")
    lines.append("")
    if document["again"]:
        lines += [f"Measured again after the others: {'; '.join(document['again'])}.", ""]
    if document["suite"] == "scheduling":
        lines += ["```text", table.show_schedulers(document["results"]), "```", ""]
    else:
        if document["suite"] == "full":
            lines += ["What the project asks of itself, and what came of it:", "", *goals.show(document["results"]), ""]
        lines += [f"![{title}](performance/{name})" for name, title in plots(document["results"])]
        lines += ["", "```text", *(table.show(result) + "\n" for result in document["results"]), "```", ""]
    return "\n".join(lines)


def plots(results: list[dict]) -> list[tuple[str, str]]:
    """Writes them; file names and titles."""
    written = []
    for result in results:
        if result["scenario"] in BARS and result["connections"] == 64 and result["measured"]:
            values = {name: median([one["cpu"] for one in measured]) for name, measured in result["measured"].items()}
            title = f"{result['name']}: processor time for each request"
            written.append((f"{result['scenario']}.svg", title))
            (PLOTS / f"{result['scenario']}.svg").write_text(plot.bars(title, values, "us"))
    for key, name, unit, size in GROWTH:
        series = growth(results, key, size)
        if any(len(points) > 1 for points in series.values()):
            title = f"hello, by number of connections: {name}"
            written.append((f"growth-{name}.svg", title))
            (PLOTS / f"growth-{name}.svg").write_text(plot.lines(title, series, "connections", unit))
    return written


def growth(results: list[dict], key: str, size: float) -> dict[str, list[tuple[float, float]]]:
    """For the servers that were measured at most numbers of connections, the medians by number."""
    series: dict[str, list[tuple[float, float]]] = {}
    for result in sorted(results, key=lambda result: result["connections"]):
        if result["scenario"] in ("hello", "hello-1") and result["server_cores"] == 1:
            for name, measured in result["measured"].items():
                value = median([one[key] for one in measured]) / size
                series.setdefault(name, []).append((result["connections"], value))
    longest = max(map(len, series.values()), default=0)
    return {name: points for name, points in series.items() if len(points) >= longest - 1}


if __name__ == "__main__":
    sys.exit(main())
