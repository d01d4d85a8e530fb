"""Results as text: for each scenario the medians of every server, and how Brickwork compares with each."""

from __future__ import annotations

from .ratio import median, of_pairs

OURS = "brickwork"


def show(result: dict) -> str:
    measured = result["measured"]
    rows = [["", "rate/s", "CPU us", "p50 us", "p99 us", "MB", "start ms", "CPU: ours / its", "rate: ours / its"]]
    for name, values in measured.items():
        column = {key: [value[key] for value in values] for key in values[0]}
        row = [name, f"{median(column['rate']):,.0f}", f"{median(column['cpu']):.2f}"]
        row += [f"{median(column['p50']):,.0f}", f"{median(column['p99']):,.0f}"]
        row += [f"{median(column['resident']) / 1e6:.1f}", f"{median(column['start_up']) * 1000:.0f}"]
        if name != OURS and OURS in measured:
            row += [str(ratio_to(measured, name, key)) for key in ("cpu", "rate")]
        rows.append(row)
    rounds = max((len(values) for values in measured.values()), default=0)
    lines = [f"{result['name']} ({rounds} rounds of {result['seconds']} s)", *align(rows)]
    lines += [f"  {name}: not measured: {reason}" for name, reason in result["excluded"].items()]
    return "\n".join(lines)


def ratio_to(measured: dict, name: str, key: str):
    return of_pairs([value[key] for value in measured[OURS]], [value[key] for value in measured[name]])


def align(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines
