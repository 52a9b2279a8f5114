"""Derivatives as text that the language reads back, as LaTeX, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.dialects.definitions import name_shared
from gradcalc.dialects.language import spell
from gradcalc.dialects.latex import LatexWriter, in_lines, latex, latex_derivative, latex_name
from gradcalc.graph import Graph
from gradcalc.views.json import SCHEMA, plain
from gradcalc.views.numbers import exact_text, rounded_text
from gradcalc.views.text import width

if TYPE_CHECKING:
    from gradcalc.formula import Formula
    from gradcalc.gates.record import Shape
    from gradcalc.studies.derivation import Derivatives, Entry

ALIGNED = 56
"""Formulas up to this width stand in a column, with what they are behind them."""

LONGEST_VALUE = 400
"""A value of an input that takes more characters is not written before the formulas."""


def spelled(found: Derivatives, node: int | None, whole: bool = False) -> str:
    """A formula in the language; `whole` writes a defined node out."""
    if node is None:
        return "0"
    assert found.graph is not None
    name = found.names.get(node)
    return name if name is not None and not whole else spell(found.graph, node, found.names.get)


class Page:
    """Prints derivatives of one output after the other; what was defined once is not defined again."""

    def __init__(self, digits: int | None = None, titles: bool = False, whole: bool = False) -> None:
        """With `titles`, each output's own formula stands before its derivatives; with `whole`, long arrays are written out."""
        self.digits = digits
        self.titles = titles
        self.longest = sys.maxsize if whole else LONGEST_VALUE
        self._defined: dict[str, str] = {}
        self._title: str | None = None

    def text(self, found: Derivatives) -> str:
        """Derivatives as a program of the language, with comments that say what each line is."""
        same = self._title == found.formula.text
        lines = [f"# {found.formula.text}"] if self.titles and not same else []
        lines += [f"# {remark}" for remark in found.remarks]
        lines += self._inputs(found)
        definitions = [*found.given, *[(found.names[node], spelled(found, node, whole=True)) for node in found.definitions]]
        for name, text in definitions:
            if self._defined.get(name) != text:
                self._defined[name] = text
                lines.append(f"{name} = {text}")
        if found.kind == "partial":
            rows = [(spelled(found, entry.node), self._comment(found, entry)) for entry in found.entries]
            lines += _with_comments(rows)
        else:
            lines += self._matrix(found)
        parting = "\n" if self._title is not None and not same else ""
        self._title = found.formula.text
        return parting + "\n".join(lines) + "\n"

    def _inputs(self, found: Derivatives) -> list[str]:
        """The values of the inputs, so that the text alone gives the numbers."""
        formula = found.formula
        pieces, left_out = [], []
        for name, value in zip(formula.inputs, formula.values):
            if value is None or isinstance(value, tuple):
                continue
            long = not isinstance(value, float) and value.size > self.longest
            text = "" if long else exact_text(value)
            if long or len(text) > self.longest:
                left_out.append(name)
                continue
            if self._defined.get(name) == text:
                continue
            self._defined[name] = text
            pieces.append(f"{name} = {text}")
        line = "; ".join(pieces)
        lines = [] if not pieces else [line] if len(line) <= 2 * ALIGNED else pieces
        if left_out:
            lines.insert(0, f"# too long to be written here (--all writes them): {', '.join(left_out)}")
        return lines

    def _comment(self, found: Derivatives, entry: Entry) -> str:
        label = quotient(found.name, entry.by)
        return label if entry.value is None else f"{label} = {self._number(entry.value)}"

    def _number(self, value: Any) -> str:
        value = value + 0.0  # there is no need for -0
        if self.digits is not None and isinstance(value, float):
            return rounded_text(value, self.digits)
        text = exact_text(value)
        return text if len(text) <= self.longest else f"{text[: self.longest]} …"

    def _matrix(self, found: Derivatives) -> list[str]:
        """A matrix of formulas as an array, row by row, and its numbers as a comment."""
        title = matrix_title(found)
        lines = [f"# {title}"]
        if found.graph is not None:
            rows = [[spelled(found, entry.node) for entry in row] for row in matrix_rows(found)]
            lines += _array(rows)
        if found.point:
            numbers = found.value if isinstance(found.value, list) else found.value.tolist()
            texts = [[self._number(value) for value in row] for row in numbers]
            lines += [f"# {'= ' if place == 0 else '  '}{line}" for place, line in enumerate(_array(texts))]
        return lines

    def latex(self, found: Derivatives) -> str:
        """Derivatives as lines of LaTeX."""
        graph, names = found.graph, found.names
        formula = found.formula
        name = output_letter(formula)
        lines = [f"% {remark}" for remark in found.remarks]
        lines += self._latex_formula(found, name)
        if graph is None:
            return "\n".join([*lines, *self._matrix(found)]) + "\n"
        known = set(formula.names.values())
        lines += self._latex_definitions(
            graph, [node for node in found.definitions if names[node] not in known], names, found.shapes
        )
        partial = len(formula.inputs) > 1

        def written(entry: Entry) -> str:
            if entry.node is None:
                return "0"
            return latex_name(names[entry.node]) if entry.node in names else latex(graph, entry.node, names.get, found.shapes)

        if found.kind == "partial":
            for entry in found.entries:
                line = f"{latex_derivative(name, entry.by, partial)} = {in_lines(written(entry))}"
                if entry.value is not None and isinstance(entry.value, float):
                    line += f" = {self._latex_number(entry.value)}"
                lines.append(line)
        else:
            rows = [" & ".join(written(entry) for entry in row) for row in matrix_rows(found)]
            head = "H" if found.kind == "hessian" else "J"
            between = r" \\ "
            lines.append(rf"{head}_{{{name}}} = \begin{{bmatrix}} {between.join(rows)} \end{{bmatrix}}")
        return "\n".join(lines) + "\n"

    def _latex_formula(self, found: Derivatives, name: str) -> list[str]:
        """The output, and before it what it uses under a name: named nodes, and what the gates of the user use again."""
        graph, output, own = found.formula.graph, found.formula.output, found.formula.names
        shared = name_shared(graph, [output], own, {*own.values(), *found.names.values()})
        names = {**own, **shared.names}
        shapes = found.formula.prepared()[1]
        lines = self._latex_definitions(graph, [node for node in shared.order if node != output], names, shapes)
        return lines + self._latex_definition(name, latex(graph, output, names.get, shapes))

    def _latex_definitions(
        self, graph: Graph, nodes: Sequence[int], names: Mapping[int, str], shapes: Sequence[Shape] | None
    ) -> list[str]:
        written = [(latex_name(names[node]), latex(graph, node, names.get, shapes)) for node in nodes]
        return [line for name, text in written for line in self._latex_definition(name, text)]

    def _latex_definition(self, name: str, text: str) -> list[str]:
        """What a name stands for, said once."""
        if self._defined.get(name) == text:
            return []
        self._defined[name] = text
        return [f"{name} = {in_lines(text)}"]

    def _latex_number(self, value: float) -> str:
        value += 0.0  # there is no need for -0
        return LatexWriter().number(value if self.digits is None else float(rounded_text(value, self.digits)))


OUTPUT_LETTERS = ("f", "g", "h", "F", "G", "H", "y", "z", "output")
"""What an output without a name is called in LaTeX: the first one that means nothing else."""


def output_letter(formula: Formula) -> str:
    """What an output is called in LaTeX: its name, or a letter that means nothing else."""
    if formula.text.isidentifier():
        return latex_name(formula.text)
    taken = {*formula.inputs, *formula.names.values()}
    return latex_name(next((letter for letter in OUTPUT_LETTERS if letter not in taken), "output"))


def quotient(name: str, by: Sequence[str]) -> str:
    """How a derivative is called: `df/dx`, `d2f/dx2`, `d2f/dx dy`."""
    order = len(by)
    counted = dict.fromkeys(by, 0)
    for one in by:
        counted[one] += 1
    below = " ".join(f"d{one}" + (str(count) if count > 1 else "") for one, count in counted.items())
    return f"d{order if order > 1 else ''}{name}/{below}"


def matrix_title(found: Derivatives) -> str:
    """What the rows and columns of a matrix are."""
    row = [entry.by[-1] for entry in found.entries[: found.columns]]
    columns = ", ".join(row) if len(", ".join(row)) <= ALIGNED else f"{len(row)} inputs"
    of = f" of {found.name}" if found.name else ""
    by = f", by {columns}" if row else ""
    return f"{'Hessian' if found.kind == 'hessian' else 'Jacobian'}{of}{by}"


def matrix_rows(found: Derivatives) -> list[list[Entry]]:
    """The entries of a matrix, row by row."""
    columns = max(found.columns, 1)
    return [found.entries[start : start + columns] for start in range(0, len(found.entries), columns)]


def _array(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of texts as an array of the language, one row a line, the columns under each other where they are short."""
    widths = [max(map(width, column)) for column in zip(*rows)]
    pad: Callable[[str, int], str] = lambda text, size: text  # noqa: E731
    if sum(widths) <= 100:
        pad = lambda text, size: " " * (size - width(text)) + text  # noqa: E731
    lines = []
    for place, row in enumerate(rows):
        inner = ", ".join(pad(text, size) for text, size in zip(row, widths))
        begin = "[[" if place == 0 else " ["
        end = "]]" if place == len(rows) - 1 else "],"
        lines.append(f"{begin}{inner}{end}")
    return lines


def _with_comments(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Formulas with their comments behind them, or above them where the formulas are long."""
    widest = max((width(text) for text, _ in rows), default=0)
    if widest > ALIGNED:
        return [line for text, comment in rows for line in (f"# {comment}", text)]
    return [f"{text}{' ' * (widest - width(text))}  # {comment}" for text, comment in rows]


def derivatives_document(found: Derivatives, with_latex: bool = False) -> dict[str, Any]:
    """Derivatives as plain lists, dictionaries, numbers and strings."""
    document: dict[str, Any] = {"schema": SCHEMA, "output": found.formula.text, "kind": found.kind, "order": found.order}
    definitions = [*found.given, *[(found.names[node], spelled(found, node, whole=True)) for node in found.definitions]]
    document["definitions"] = dict(definitions)
    if found.kind == "partial":
        document["derivatives"] = [_entry(found, entry, with_latex) for entry in found.entries]
    else:
        document["by"] = [entry.by[-1] for entry in found.entries[: found.columns]]
        if found.graph is not None:
            document[found.kind] = [[spelled(found, entry.node) for entry in row] for row in matrix_rows(found)]
            if with_latex:
                document["latex"] = [[_latex(found, entry.node) for entry in row] for row in matrix_rows(found)]
        if found.point:
            document["value"] = found.value if isinstance(found.value, list) else found.value.tolist()
    if found.remarks:
        document["remarks"] = found.remarks
    return document


def _entry(found: Derivatives, entry: Entry, with_latex: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"by": list(entry.by), "formula": spelled(found, entry.node)}
    if with_latex:
        document["latex"] = _latex(found, entry.node)
    if found.point:
        document["value"] = plain(entry.value)
    return document


def _latex(found: Derivatives, node: int | None) -> str:
    if node is None:
        return "0"
    assert found.graph is not None
    return latex_name(found.names[node]) if node in found.names else latex(found.graph, node, found.names.get, found.shapes)
