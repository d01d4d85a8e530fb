"""Results as text: for each scenario the medians of every server, and how Brickwork compares with each."""

from __future__ import annotations

from .ratio import Ratio, median, of_pairs
from .scenarios import SCENARIOS
from .steal import UNDISTURBED

# In a suite of its own, the scheduler is measured as a build that has the others too.
OURS = ("brickwork", "brickwork-product", "brickwork-static")
SCHEDULERS = ("brickwork-inline", "brickwork-pool")


def show(result: dict) -> str:
    measured = result["measured"]
    ours = next((name for name in OURS if name in measured), None)
    times = ["rate/s", "CPU us", "p50 us", "p99 us"]
    rows = [["", "rounds", *times, "RSS MB", "start ms", "CPU: ours / its", "rate: ours / its"]]
    for name, values in measured.items():
        column = {key: [value[key] for value in values] for key in values[0]}
        row = [name, str(len(values)), f"{median(column['rate']):,.0f}", f"{median(column['cpu']):.2f}"]
        # wrk takes one time for many pipelined requests, or none.
        is_timed = SCENARIOS[result["scenario"]].depth == 1
        row += [f"{median(column[key]):,.0f}" if is_timed else "-" for key in ("p50", "p99")]
        row += [f"{median(column['resident']) / 1e6:.1f}", f"{median(column['start_up']) * 1000:.0f}"]
        if ours and name != ours:
            row += [str(ratio(measured, ours, name, key)) for key in ("cpu", "rate")]
        rows.append(row)
    rounds = max((len(values) for values in measured.values()), default=0)
    lines = [f"{result['name']} ({rounds} rounds of {result['seconds']} s)", *align(rows)]
    if result["disturbed"]:
        lines.append(f"  not counted: {result['disturbed']} measurements of which the host took more than {UNDISTURBED:.0%} of a core")
    lines += [f"  {name}: not measured: {reason}" for name, reason in result["excluded"].items()]
    return "\n".join(lines)


def show_schedulers(results: list[dict]) -> str:
    """For each row of the suite, the product's rate as a ratio to that of the better reference scheduler."""
    rows = [["rate of the product's scheduler", "rounds", "/ inline", "/ pool", "/ the better", "p99 / its"]]
    for result in results:
        measured = result["measured"]
        if OURS[1] not in measured or any(name not in measured for name in SCHEDULERS):
            rows.append([result["name"], "not measured"])
            continue
        better = max(SCHEDULERS, key=lambda name: median([value["rate"] for value in measured[name]]))
        means = [f"{ratio(measured, OURS[1], name, 'rate').mean:.2f}" for name in SCHEDULERS]
        against = [str(ratio(measured, OURS[1], better, key)) for key in ("rate", "p99")]
        rows.append([result["name"], str(len(measured[better])), *means, *against])
    return "\n".join(align(rows))


def ratio(measured: dict, ours: str, theirs: str, key: str) -> Ratio:
    """By rounds; if none has both of them, of the medians, with no pairs."""
    of_ours = {value["round"]: value[key] for value in measured[ours]}
    pairs = [(of_ours[value["round"]], value[key]) for value in measured[theirs] if value["round"] in of_ours]
    if not pairs:
        medians = [median([value[key] for value in measured[name]]) for name in (ours, theirs)]
        return Ratio(medians[0] / medians[1], None, None, 0)
    return of_pairs([one for one, _ in pairs], [other for _, other in pairs])


def align(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
