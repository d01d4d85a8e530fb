"""Plots as SVG, written by hand: horizontal bars for servers side by side, lines for how something grows.

Text takes the colour of the page, so that a plot can be read on light and on dark.
"""

from __future__ import annotations

import math
from html import escape

WIDTH = 720
OURS = "#c2410c"
COLOURS = ["#c2410c", "#1d4ed8", "#15803d", "#7e22ce", "#a16207", "#0f766e", "#be185d", "#475569"]


def bars(title: str, values: dict[str, float], unit: str) -> str:
    """One bar for each name, in the order given. The first is ours."""
    left, height, most = 170, 24, max(values.values())
    parts = []
    for number, (name, value) in enumerate(values.items()):
        y = 40 + number * height
        width = max(1.0, (WIDTH - left - 90) * value / most)
        parts.append(text(left - 8, y + 15, name, "end"))
        colour = "#94a3b8" if number else OURS
        parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{height - 6}" fill="{colour}"/>')
        parts.append(text(left + width + 6, y + 15, f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"))
    return document(title, 56 + height * len(values), parts)


def lines(title: str, series: dict[str, list[tuple[float, float]]], x_name: str, y_name: str) -> str:
    """Both axes logarithmic. A series may lack points."""
    left, right, top, bottom = 86, WIDTH - 150, 56, 346
    points = [point for one in series.values() for point in one]
    x_low, x_high = decades(x for x, _ in points)
    y_low, y_high = decades(y for _, y in points)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - x_low) / (x_high - x_low)
        up = (math.log10(max(y, 10**y_low)) - y_low) / (y_high - y_low)
        return left + across * (right - left), bottom - up * (bottom - top)

    parts = []
    for power in range(x_low, x_high + 1):
        x, _ = at(10**power, 10**y_low)
        parts += [rule(x, top, x, bottom), text(x, bottom + 18, f"{10**power:,}", "middle")]
    for power in range(y_low, y_high + 1):
        _, y = at(10**x_low, 10**power)
        parts += [rule(left, y, right, y), text(left - 8, y + 4, f"{10**power:,}", "end")]
    parts += [text((left + right) / 2, bottom + 38, x_name, "middle"), text(left, top - 8, y_name)]
    for (name, one), colour in zip(series.items(), COLOURS):
        corners = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in one)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += ['<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'.format(*at(*point), colour) for point in one]
    for number, (name, colour) in enumerate(zip(series, COLOURS)):
        y = top + 10 + number * 20
        parts.append(f'<rect x="{right + 16}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(text(right + 32, y, name))
    return document(title, bottom + 54, parts)


def decades(values) -> tuple[int, int]:
    """The powers of ten around all values, at least one apart."""
    found = [value for value in values if value > 0]
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return low, max(high, low + 1)


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="0.15"/>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{escape(words)}</text>'


def document(title: str, height: int, parts: list[str]) -> str:
    style = "text { font: 13px system-ui, sans-serif; } svg { color: #1e293b; } "
    style += "@media (prefers-color-scheme: dark) { svg { color: #e2e8f0; } }"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    heading = f'<text x="8" y="20" fill="currentColor" style="font-weight: 600">{escape(title)}</text>'
    return "\n".join([head, f"<style>{style}</style>", heading, *parts, "</svg>", ""])
