"""A result in a Jupyter notebook: its heading and table as HTML, and its picture."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from gradcalc.views.pictures import style
from gradcalc.views.pictures.circuit import circuit_of
from gradcalc.views.pictures.drawing import draw
from gradcalc.views.pictures.svg import svg_text
from gradcalc.views.report import result_pieces
from gradcalc.views.table import Cell, Table

if TYPE_CHECKING:
    from gradcalc.workspace import Result

MOST_PARTS = 150
"""A result of more nodes is shown as a table only."""

DARK = ('body[data-jp-theme-light="false"]', "body.vscode-dark", "html[theme=dark]")
"""How the pages of Jupyter, of Visual Studio Code and of Colab say that their ground is dark."""

DARK_COLOURS = ((".value, .ok", "#55d68a"), (".gradient, .mismatch", "#ff8088"), (".kink, .edge, .unsure", "#f5b342"))


def _dark_rules() -> Iterator[str]:
    """Lighter letters on a dark ground, and the picture with light and dark exchanged but its hues kept."""
    for page in DARK:
        for kinds, colour in DARK_COLOURS:
            chosen = ", ".join(f"{page} .gradcalc-words {kind}" for kind in kinds.split(", "))
            yield f"{chosen} {{ color: {colour} }}"
        yield f"{page} .gradcalc-picture svg {{ filter: invert(1) hue-rotate(180deg) }}"


SHEET = f"""
.gradcalc-words table {{ border-collapse: collapse; margin: 0.4em 0; font-family: monospace }}
.gradcalc-words th, .gradcalc-words td {{ padding: 0.1em 0.8em; white-space: pre; text-align: left }}
.gradcalc-words .right {{ text-align: right }}
.gradcalc-words th {{ border-bottom: 1px solid }}
.gradcalc-words .strong, .gradcalc-words .name {{ font-weight: bold }}
.gradcalc-words .quiet, .gradcalc-words .off {{ opacity: 0.65 }}
.gradcalc-words .value, .gradcalc-words .ok {{ color: {style.FORWARD} }}
.gradcalc-words .gradient, .gradcalc-words .mismatch {{ color: {style.BACKWARD} }}
.gradcalc-words .kink, .gradcalc-words .edge, .gradcalc-words .unsure {{ color: #b45309 }}
"""
SHEET += "\n".join(_dark_rules()) + "\n"


def result_html(result: Result) -> str:
    """The whole result: heading, table, warnings, and the picture where it is not too large."""
    heading, table = result_pieces(result)
    lines = "".join(f"<div>{_spans(line)}</div>\n" for line in heading)
    warnings = "".join(f'<div class="kink">warning: {escape(warning)}</div>\n' for warning in result.warnings)
    picture = result_svg(result)
    if picture is not None:
        shown = f'<div class="gradcalc-picture" style="overflow-x: auto">\n{picture}</div>\n'
    else:
        shown = f"<div>{_too_many(result)}</div>\n" if result.nodes else ""
    rows = "".join(_table(table)) if table is not None else ""
    words = f'<div class="gradcalc-words">\n<style>{SHEET}</style>\n{lines}{warnings}{rows}</div>\n'
    return f"<div>\n{words}{shown}</div>\n"


def result_svg(result: Result) -> str | None:
    """The picture of a result; None where it has too many nodes to be looked at in passing."""
    if not 0 < len(result.nodes) <= MOST_PARTS:
        return None
    return svg_text([draw(circuit_of(result))])


def _too_many(result: Result) -> str:
    count = f"{len(result.nodes):,} nodes are too many for a picture here (up to {MOST_PARTS})"
    return f"{count}: gradcalc graph PROGRAM -o circuit.svg draws them"


def _table(table: Table) -> Iterator[str]:
    """A table, with words in the place of rows that are left out."""
    yield "<table>\n<tr>"
    for column in table.columns:
        yield f"<th{_right(column.right)}>{escape(column.title)}</th>"
    yield "</tr>\n"
    for number, row in enumerate(table.rows):
        if number == table.gap_after:
            words = table.gap_words.partition(":")[0]  # there is no option to show them
            yield f'<tr><td class="quiet" colspan="{len(table.columns)}">{escape(words)}</td></tr>\n'
        cells = (f"<td{_right(column.right)}>{_spans(spans)}</td>" for column, spans in zip(table.columns, row))
        yield f"<tr>{''.join(cells)}</tr>\n"
    yield "</table>\n"


def _right(right: bool) -> str:
    return ' class="right"' if right else ""


def _spans(spans: Cell) -> str:
    """Pieces of text, each in its style."""
    return "".join(f'<span class="{piece}">{escape(text)}</span>' if piece else escape(text) for text, piece in spans)
