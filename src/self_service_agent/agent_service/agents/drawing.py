"""A flow as a picture: Mermaid text, or an SVG that stands by itself."""

from collections.abc import Iterator
from html import escape

from self_service_agent.agent_service.definitions.models import Flow
from self_service_agent.agent_service.definitions.steps import AnyStep

from .layers import Way, rows_of, told, ways_of

_WIDTH, _HEIGHT = 190, 44
_ACROSS, _DOWN = 230, 96
_MARGIN = 40
_LONGEST_LABEL = 34
_COLOURS = {
    "call": "#dbeafe",
    "confirm": "#fde68a",
    "approve": "#fecaca",
    "handoff": "#e9d5ff",
    "end": "#e5e7eb",
    "decide": "#dcfce7",
}
_STYLE = (
    "text{font:12px sans-serif;fill:#111827}.kind{fill:#4b5563;font-size:11px}.way{fill:none;stroke:#6b7280}"
    ".label{fill:#6b7280;font-size:10px;paint-order:stroke;stroke:#fff;stroke-width:3px}"
)
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker>'
)


def mermaid(flow: Flow) -> str:
    """Return a flow as a Mermaid flowchart."""
    ids = {step.id: f"s{number}" for number, step in enumerate(flow.steps)}
    lines = ["flowchart TD"]
    lines += [f'    {ids[step.id]}["{_mermaid_text(_title(step))}"]' for step in flow.steps]
    for way in ways_of(flow):
        label = f'|"{_mermaid_text(way.label)}"|' if way.label else ""
        lines.append(f"    {ids[way.start]} -->{label} {ids[way.end]}")
    return "\n".join(lines) + "\n"


def svg(flow: Flow) -> str:
    """Return a flow as an SVG document; nothing of the definition is markup in it."""
    places = {step_id: (column * _ACROSS, row * _DOWN) for step_id, (row, column) in rows_of(flow).items()}
    width = max(x for x, _ in places.values()) + _WIDTH + 2 * _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + 2 * _MARGIN
    drawn = [
        *(part for way in ways_of(flow) for part in _drawn_way(way, places)),
        *(part for step in flow.steps for part in _drawn_step(step, places[step.id])),
    ]
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" role="img">\n'
        f"<title>{escape(flow.title)}</title><style>{_STYLE}</style><defs>{_ARROW}</defs>\n"
        f'<rect x="{-_MARGIN}" y="{-_MARGIN}" width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _drawn_step(step: AnyStep, place: tuple[int, int]) -> Iterator[str]:
    x, y = place
    colour = _COLOURS.get(step.kind, "#f9fafb")
    about = told(step)
    yield (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{colour}" stroke="#9ca3af"/>'
        f'<text x="{x + 10}" y="{y + 18}">{escape(_short(step.id))}</text>'
        f'<text class="kind" x="{x + 10}" y="{y + 34}">{escape(_short(f"{step.kind} {about}"))}</text>'
    )


def _drawn_way(way: Way, places: dict[str, tuple[int, int]]) -> Iterator[str]:
    (x1, y1), (x2, y2) = places[way.start], places[way.end]
    if y2 > y1:
        start, end = (x1 + _WIDTH // 2, y1 + _HEIGHT), (x2 + _WIDTH // 2, y2)
        bend = (end[1] - start[1]) // 2
        path = f"M{start[0]} {start[1]}C{start[0]} {start[1] + bend} {end[0]} {end[1] - bend} {end[0]} {end[1]}"
    else:
        # A way back leaves and arrives at the right side, so that it crosses no step of its own column.
        start, end = (x1 + _WIDTH, y1 + _HEIGHT // 2), (x2 + _WIDTH, y2 + _HEIGHT // 2)
        out = max(start[0], end[0]) + 36
        path = f"M{start[0]} {start[1]}C{out} {start[1]} {out} {end[1]} {end[0]} {end[1]}"
    yield f'<path class="way" d="{path}" marker-end="url(#arrow)"/>'
    if way.label:
        x, y = (2 * start[0] + end[0]) // 3, (2 * start[1] + end[1]) // 3
        yield f'<text class="label" x="{x + 4}" y="{y}">{escape(_short(way.label))}</text>'


def _title(step: AnyStep) -> str:
    return f"{step.id}: {step.kind} {told(step)}".strip()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _mermaid_text(text: str) -> str:
    """Write every character that Mermaid or HTML could take for its own as a number."""
    return "".join(char if char.isalnum() or char in " _.,:-" else f"#{ord(char)};" for char in text)
