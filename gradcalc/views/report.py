"""A result as a table that a person can read: the output and its verdict, then one row for each node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.views.numbers import (
    array_text,
    bar_text,
    exact_text,
    number_text,
    rounded_text,
    short_text,
    uncertain_text,
)
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, aligned, cell, painted, render, wrapped
from gradcalc.views.text import ELLIPSIS, cut, to_ascii, visible, width

if TYPE_CHECKING:
    from gradcalc.workspace import NodeReport, Result

SIGNS = {"ok": "✓", "kink": "∧", "edge": "⊢", "unsure": "?", "mismatch": "✗", "off": "–"}
"""A sign for each verdict, where the terminal can show it."""
END_ROWS = 50
"""How many rows stay at each end of a long table."""
MANY_NODES = 10_000
"""Results of more nodes are not looked through for a summary."""
WHOLE_ARRAY = 10_000
"""Arrays up to this many elements are written out above the table, where lines may be long."""


class Layout(NamedTuple):
    """How generous a table is with its room."""

    digits: int
    names: int
    """The longest name of a node."""
    inputs: int
    """The longest list of inputs that are called by their names; longer ones by their numbers."""
    room: int
    """The widest array."""
    wordy: bool
    """Whether gate and inputs are columns of their own, and each verdict says how many digits agree."""
    aligned: bool
    """Whether decimal points stand below each other."""
    dropped: int = 0
    """Which columns there is no room for."""


GATE, NUMERICAL = 1, 2
"""The columns that are dropped in narrow places: first the gate, then also the numerical derivative."""


SMALL = 9
"""Where an array has no more room than this, its numerical derivative is shown by the error bar only, if all is well."""

LAYOUTS = (
    Layout(10, 60, 40, 48, True, True),
    Layout(10, 48, 24, 36, True, True),
    Layout(10, 36, 16, 24, True, True),
    Layout(8, 36, 16, 22, True, True),
    Layout(8, 36, 12, 20, False, True),
    Layout(7, 32, 12, 18, False, True),
    Layout(6, 32, 9, 16, False, True),
    Layout(6, 24, 9, 16, False, True),
    Layout(6, 24, 9, 13, False, False),
    Layout(6, 16, 9, 13, False, False),
    Layout(6, 16, 7, SMALL, False, False),
    Layout(6, 12, 7, SMALL, False, False),
    Layout(5, 12, 7, SMALL, False, False),
    Layout(6, 24, 9, 13, False, False, GATE),
    Layout(6, 16, 9, SMALL, False, False, GATE),
    Layout(5, 12, 9, SMALL, False, False, GATE),
    Layout(6, 24, 9, 13, False, False, NUMERICAL),
    Layout(6, 12, 9, SMALL, False, False, NUMERICAL),
    Layout(5, 10, 9, SMALL, False, False, NUMERICAL),
    Layout(4, 8, 9, SMALL, False, False, NUMERICAL),
)
"""From the widest to the narrowest; a table takes the first that fits. Where none does, each node has lines of its own."""
UNLIMITED = Layout(10, 60, 24, 120, True, True)
"""Where lines may be as long as they like: what is said twice is still a number the second time."""
LONGEST_OUTPUT = 200
"""An output is cut behind so many columns, where there is no terminal that cuts it sooner."""


def result_text(result: Result, surface: Surface, digits: int | None = None, every_row: bool = False) -> str:
    """A whole result: the output and its value, the verdict, the table of nodes, and words on what is not smooth."""
    text = painted(_heading(result, surface, digits), surface)
    shown, left_out = _shown_rows(result.nodes, every_row)
    if shown:
        text += "\n" + render(_fitting_table(result.nodes, shown, left_out, surface, digits), surface)
    notes: dict[str, list[str]] = {}
    for node in shown:
        if node.note:
            name = _name_text(node, _inputs_of(node, result.nodes), UNLIMITED.names)
            notes.setdefault(node.note, []).append(name)
    if notes:
        text += "\n" + painted(
            [line for note, names in notes.items() for line in wrapped(_note(names, note, surface), surface.width)], surface
        )
    if result.sensitivity is not None:
        from gradcalc.views.influence import influence_lines

        text += "\n" + painted(influence_lines(result.sensitivity, surface), surface)
    return text


def result_pieces(result: Result) -> tuple[list[Cell], Table | None]:
    """The lines above the table of a result, and the table, for those who show them in their own way."""
    surface = Surface()
    shown, left_out = _shown_rows(result.nodes, every_row=False)
    return list(_heading(result, surface)), _fitting_table(result.nodes, shown, left_out, surface, None) if shown else None


def _note(names: Sequence[str], note: str, surface: Surface) -> Cell:
    """Words that are said of one node or of several."""
    limit = max(12, surface.width // 3) if surface.terminal else surface.width
    concerned, words = cut(", ".join(names), limit), visible(note)
    if not surface.unicode:
        concerned, words = to_ascii(concerned), to_ascii(words)
    return (Span(concerned, "name"), Span(f": {words}"))


def _heading(result: Result, surface: Surface, digits: int | None = None) -> Iterable[Cell]:
    """`(a + b)/(c + d) = 0.42857142857142855`, and the verdict below it."""
    value = whole_value(result.value, surface)
    if result.propagation is not None:
        from gradcalc.views.uncertainty import heading_value

        value = heading_value(result, value, surface, digits)
    output = visible(result.output)
    room = max(surface.width, 3 * surface.width - len(value)) - 3 if surface.terminal else LONGEST_OUTPUT
    output = cut(output, room)
    if not surface.unicode:
        output, value = to_ascii(output), to_ascii(value)
    yield (Span(output, "strong"), Span(" = "), Span(value, "value"))
    verdict = result.verdict
    words = verdict_words(result)
    spans = (Span(signed(verdict, surface), verdict), Span(f": {words if surface.unicode else to_ascii(words)}"))
    yield from wrapped(spans, surface.width)
    for remark in [*_more_remarks(result), *result.remarks]:
        yield from wrapped(cell(remark if surface.unicode else to_ascii(remark), "quiet"), surface.width)


def _more_remarks(result: Result) -> Iterable[str]:
    """What there is to say of directions and of uncertainties."""
    if len(result.directions) == 1 and result.directions[0].title == "derivative":
        amounts = result.directions[0].amounts
        yield "along " + ", ".join(f"{name} = {whole_value(amount, Surface())}" for name, amount in amounts.items())
    if result.propagation is not None:
        from gradcalc.views.uncertainty import lines

        yield from lines(result)


def signed(verdict: str, surface: Surface) -> str:
    """A verdict with its sign, where the terminal can show it."""
    return f"{SIGNS[verdict]} {verdict}" if surface.unicode else verdict


def whole_value(value: Any, surface: Surface) -> str:
    """A value as it reads back; an array that would fill the screen as its shape, range and corner."""
    if isinstance(value, (float, int)):
        return number_text(value)
    if value.size <= (surface.width if surface.terminal else WHOLE_ARRAY):
        text = exact_text(value)
        if len(text) <= 3 * surface.width:
            return text
    return array_text(value, 6, 72)


def verdict_words(result: Result) -> str:
    """What the verdict means here, and which nodes are to blame."""
    verdict = result.verdict
    if verdict == "off":
        return "not checked" + (f": {result.reason}" if result.reason else " against numerical derivatives")
    few = len(result.nodes) <= MANY_NODES
    if verdict == "ok":
        judged = [node for node in result.nodes if node.gradient is not None or node.tangents] if few else []
        digits = [node.digits for node in judged if node.verdict == "ok"]
        known = [number for number in digits if number is not None]
        # What has an error bar wider than itself agrees, but has no digits to count.
        precision = "" if not known else f" to {min(known)} digits or more" if len(known) == len(digits) else " within error bars"
        return f"{'forward mode' if result.directions else 'gradients'} and numerical derivatives agree{precision}"
    concerned = (node for node in result.nodes if node.verdict == verdict)
    names = [_name_text(node, _inputs_of(node, result.nodes), 24) for node in islice(concerned, 3)]
    others = sum(1 for _ in concerned) if few else next((1 for _ in concerned), 0)
    if others:
        names.append(f"{others} more" if few else "more")
    where = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    gradient = "derivative" if result.directions else "gradient"
    return {
        "kink": f"the {gradient} follows a convention at {where}",
        "edge": f"the function has an edge at {where}",
        "unsure": f"the numerical derivative is too uncertain to judge {where}",
        "mismatch": f"{gradient} and numerical derivative disagree at {where}",
    }[verdict]


def _shown_rows(nodes: Sequence[NodeReport], every_row: bool) -> tuple[list[NodeReport], int]:
    """The nodes that get a row (constants stand where they are used), and how many nodes are left out of the middle."""
    if every_row or len(nodes) <= MANY_NODES:
        rows = [node for node in nodes if node.gate != "constant"]
        if every_row or len(rows) <= 2 * END_ROWS:
            return rows, 0
        return rows[:END_ROWS] + rows[-END_ROWS:], len(rows) - 2 * END_ROWS
    # Rows are made when they are looked at: of a million nodes only those are that will be shown.
    first = list(islice((node for node in nodes if node.gate != "constant"), END_ROWS))
    backwards = (nodes[number] for number in range(len(nodes) - 1, -1, -1))
    last = list(islice((node for node in backwards if node.gate != "constant"), END_ROWS))[::-1]
    return first + last, max(0, last[0].id - first[-1].id - 1)


def _fitting_table(
    nodes: Sequence[NodeReport], shown: Sequence[NodeReport], left_out: int, surface: Surface, digits: int | None
) -> Table:
    """The most generous table that fits."""
    known = {node.id: node for node in shown}
    known.update((number, nodes[number]) for node in shown for number in node.inputs[:5] if number not in known)
    table = Table()
    for layout in LAYOUTS if surface.terminal else (UNLIMITED,):
        table = _table(shown, known, layout._replace(digits=digits) if digits else layout, surface)
        if not surface.unicode:
            table.make_ascii()
        if not surface.terminal or table.width() <= surface.width:
            break
    else:
        room = surface.width - 12
        table = _table(shown, known, Layout(digits or 6, surface.width - 4, room, room, True, False), surface)
        if not surface.unicode:
            table.make_ascii()
    if left_out:
        table.gap_after = END_ROWS
        table.gap_words = f"{'…' if surface.unicode else '...'} {left_out} more rows: --all shows them"
    return table


def _table(shown: Sequence[NodeReport], known: Mapping[int, NodeReport], layout: Layout, surface: Surface) -> Table:
    """The rows in one layout; columns in which nothing would stand are left out."""
    table = Table()
    table.add("#", [cell(str(node.id), "quiet") for node in shown], right=True)
    table.add("node", [cell(_name_text(node, known, layout.names), "name" if node.named else "") for node in shown])
    gates = [Span(visible(node.gate), "quiet" if node.gate == "input" else "") for node in shown]
    inputs = [_inputs_text(node, known, layout) for node in shown]
    if layout.dropped >= GATE:
        pass  # the node's own text has to do
    elif layout.wordy:
        table.add("gate", [(gate,) for gate in gates])
        table.add("inputs", [cell(text) for text in inputs])
    else:
        table.add("gate", [(gate, Span(f" {text}")) for gate, text in zip(gates, inputs, strict=True)])
    _add_values(table, "value", [node.value for node in shown], layout)
    if any(node.uncertainty is not None for node in shown):
        _add_uncertainties(table, shown, layout)
    if any(node.gradient is not None for node in shown):
        _add_values(table, "gradient", [node.gradient for node in shown], layout)
    for number, tangent in enumerate(shown[0].tangents):
        _add_values(table, tangent.title, [node.tangents[number].value for node in shown], layout, "gradient")
    if any(node.elasticity is not None for node in shown):
        _add_values(table, "elasticity", [node.elasticity for node in shown], layout._replace(digits=min(layout.digits, 4)), "")
    if any(node.verdict != "off" for node in shown):
        if layout.dropped < NUMERICAL and len(shown[0].tangents) < 2:
            table.add("numerical", _numerical_cells(shown, layout))
        table.add("verdict", [_verdict_cell(node, layout, surface) for node in shown])
    return table


def _add_uncertainties(table: Table, shown: Sequence[NodeReport], layout: Layout) -> None:
    """How far each value may be off, and which part of the output's variance each uncertain input has."""
    from gradcalc.views.uncertainty import share_text, uncertainty_cell

    texts = ["" if _is_exact(node) else uncertainty_cell(node.uncertainty, layout.room) for node in shown]
    right = all(node.uncertainty is None or isinstance(node.uncertainty, float) for node in shown)
    table.add("uncertainty", [cell(text, "value") for text in (_column(texts, layout) if right else texts)], right=right)
    table.add("share", [cell(share_text(node.share)) for node in shown], right=True)


def _is_exact(node: NodeReport) -> bool:
    """Whether an input was given without an uncertainty."""
    return node.gate == "input" and node.share is None


def _add_values(table: Table, title: str, values: Sequence[Any], layout: Layout, style: str | None = None) -> None:
    """A column of numbers, or of numbers and arrays."""
    texts = [_value_text(value, layout, shaped=title == "value") for value in values]
    right = all(value is None or isinstance(value, (float, int)) for value in values)
    style = title if style is None else style
    table.add(title, [cell(text, style) for text in (_column(texts, layout) if right else texts)], right=right)


def _column(texts: list[str], layout: Layout) -> list[str]:
    return aligned(texts) if layout.aligned else texts


def _value_text(value: Any, layout: Layout, shaped: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, int)):
        return rounded_text(value, layout.digits) if layout.wordy else short_text(value, layout.digits)
    return array_text(value, min(layout.digits, 6), layout.room, shaped)


def _name_text(node: NodeReport, known: Mapping[int, NodeReport], limit: int) -> str:
    """A node's name; for a piece of source that is too long, how the node is made: `sin(#41)`."""
    name = visible(node.name)
    if width(name) <= limit and not name.endswith(ELLIPSIS):
        return name
    made = _made_text(node, known) if node.inputs and not node.named else ""
    return made if made and width(made) <= limit else cut(name, limit)


def _made_text(node: NodeReport, known: Mapping[int, NodeReport]) -> str:
    """A node as its gate, applied to names and numbers of nodes."""
    pieces = [_operand_text(known.get(number), number) for number in node.inputs[:5]]
    if len(node.inputs) > 5:
        pieces.append(f"… {len(node.inputs) - 5} more")
    gate = visible(node.gate)
    if gate in ("neg", "[]", "stack"):
        listed = ", ".join(pieces)
        return {"neg": f"-{listed}", "[]": f"{listed}[…]", "stack": f"[{listed}]"}[gate]
    if len(pieces) == 2 and (gate == "pow" or not gate.isidentifier()):
        symbol = "^" if gate == "pow" else gate if gate in ("*", "/", "%") else f" {gate} "
        return symbol.join(pieces)
    return f"{gate}({', '.join(pieces)})"


def _operand_text(source: NodeReport | None, number: int) -> str:
    short = source is not None and (source.named or not source.inputs) and width(visible(source.name)) <= 12
    return visible(source.name) if source is not None and short else f"#{number}"


def _inputs_of(node: NodeReport, nodes: Sequence[NodeReport]) -> Mapping[int, NodeReport]:
    """The first inputs of a node, by number."""
    return {number: nodes[number] for number in node.inputs[:5] if number < len(nodes)}


def _inputs_text(node: NodeReport, known: Mapping[int, NodeReport], layout: Layout) -> str:
    """The inputs by name, or by number where their names are pieces of source that are too long."""
    if not node.inputs:
        return ""
    for count, room in ((5, layout.inputs), (3, 0)):
        pieces = [_input_text(known.get(number), number, room) for number in node.inputs[:count]]
        if len(node.inputs) > count:
            pieces.append(f"… {len(node.inputs) - count} more")
        text = ", ".join(pieces)
        if width(text) <= layout.inputs:
            break
    return text


def _input_text(source: NodeReport | None, number: int, room: int) -> str:
    if source is None:
        return f"#{number}"
    if source.gate == "constant":
        value = source.value
        typed = visible(source.name)
        if typed and width(typed) <= 12:
            return typed
        return short_text(value, 6) if isinstance(value, (float, int)) else array_text(value, 4, 16)
    name = visible(source.name)
    return name if width(name) <= (12 if source.named else room) else f"#{number}"


def _numerical_cells(shown: Sequence[NodeReport], layout: Layout) -> list[Cell]:
    """Numerical derivatives with their error bars; at a kink the slopes on its two sides."""
    texts = [_numerical_texts(node, layout) for node in shown]
    numbers = _column([number for number, _ in texts], layout)
    bars = [bar for _, bar in texts]
    longest = max((width(number) for number, bar in zip(numbers, bars, strict=True) if bar), default=0)
    arrays = any(node.shape for node in shown)
    cells = []
    for number, bar in zip(numbers, bars, strict=True):
        padding = " " * (longest - width(number))
        text = number + padding if layout.aligned or arrays else padding + number
        cells.append((Span(text), Span(f" {bar}" if longest else bar, "quiet")) if bar else cell(number))
    return cells


def _numerical_texts(node: NodeReport, layout: Layout) -> tuple[str, str]:
    if node.slopes is not None and all(map(isnan, node.slopes)):
        return "none", ""
    if node.slopes is not None and node.slopes[0] != node.slopes[1]:
        left, right = ("none" if isnan(slope) else short_text(slope, min(layout.digits, 6)) for slope in node.slopes)
        return f"{left} left, {right} right" if layout.wordy else f"{left} | {right}", ""
    if node.numerical is None or node.error_bar is None:
        return _value_text(node.numerical, layout), ""
    if isinstance(node.numerical, (float, int)):
        text = uncertain_text(node.numerical, node.error_bar, layout.digits)
        return text if layout.wordy else short_text(float(text), layout.digits), f"±{bar_text(node.error_bar)}"
    bars, checked = node.error_bar, node.error_bar == node.error_bar
    if not checked.all():  # only some elements were drawn
        text = f"{int(checked.sum())} of {bars.size} elements"
    else:
        text = "" if layout.room <= SMALL and node.verdict == "ok" else _value_text(node.numerical, layout)
    return text, f"±{bar_text(float(bars[checked].max(initial=0.0)))}"


def _verdict_cell(node: NodeReport, layout: Layout, surface: Surface) -> Cell:
    if node.verdict == "off":
        return cell("")
    words = f", {node.digits} digits" if layout.wordy and node.digits is not None and node.verdict == "ok" else ""
    return (Span(signed(node.verdict, surface), node.verdict), Span(words, "quiet"))
