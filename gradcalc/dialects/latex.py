"""Graph to LaTeX, as formulas are printed in books: fractions, roots, powers, cases, matrices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcalc.dialects.language import spell_index, spell_number
from gradcalc.dialects.source import ATOM, SIGN, Piece, SourceWriter
from gradcalc.gates.record import Shape
from gradcalc.graph import CONSTANT, Graph, Operator

SUM, PRODUCT, POWER, FRACTION = 2, 3, 5, 6
"""How tightly things bind here; a fraction needs brackets only where it is raised to a power."""

LONGEST_LINE = 160
"""A sum of more characters is written in several lines."""

LARGEST_MATRIX = 12
"""Of a longer array only the ends of rows and columns are shown."""


def _greek_letters() -> dict[str, str]:
    """The letters of which LaTeX has a command, with its name; capitals that look like Latin ones have none."""
    letters = {}
    for code in (*range(0x3B1, 0x3CA), *map(ord, "ΓΔΘΛΞΠΣΥΦΨΩ")):
        name = unicodedata.name(chr(code)).split()[-1].lower().replace("lamda", "lambda")
        if code != 0x3C2 and name != "omicron":
            letters[chr(code)] = name if code >= 0x3B1 else name.capitalize()
    return letters


GREEK_LETTERS = _greek_letters()
GREEK = frozenset(GREEK_LETTERS.values())

_RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_CONSTANTS = {3.141592653589793: r"\pi", 2.718281828459045: "e"}
_FUNCTION = re.compile(r"\\[a-zA-Z]+|\\operatorname\{\w+\}|\\log_\{\w+\}")


class LatexWriter(SourceWriter):
    """Writes gates as LaTeX. What needs to know how an input was written asks for it by its text."""

    dialect = "latex"

    def __init__(self) -> None:
        self._calls: dict[str, tuple[str, str]] = {}
        """Texts of functions, with the function's name and what stands behind it."""
        self._relations: dict[str, str] = {}
        """Texts of comparisons, with the comparison itself."""
        self._rows: dict[str, list[str]] = {}
        """Texts of arrays, with their entries or rows."""
        self._closed: dict[str, str] = {}
        """Texts that end with a function without brackets, with the same in brackets: so they stand before another factor."""
        self._elementwise: set[str] = set()
        """Texts of products of arrays by elements, which stand in brackets in a product of matrices."""
        self.shapes: Sequence[Shape] = ()
        """Of the inputs of the gate that is written next, where they are known: products of arrays by elements have a sign."""

    def gate(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        """A gate on the texts of its inputs."""
        gate = operator.gate
        assert gate is not None
        own = _WRITTEN.get(gate.name)
        if own is not None and (gate.name not in ("-", "max", "min") or len(inputs) > 1):
            return own(self, operator, inputs)
        if gate.name in _RELATIONS:
            return self._relation(_RELATIONS[gate.name], inputs)
        spelling = gate.spelled.get(self.dialect)
        if callable(spelling):
            own_text = spelling(*[piece.text for piece in inputs], **dict(operator.attributes))
            if own_text is not None:
                return Piece(ATOM, own_text)
            spelling = None
        if spelling is None:
            return self._call(f"\\operatorname{{{_escaped(gate.name)}}}", operator, inputs)
        if _FUNCTION.fullmatch(spelling):
            return self._call(spelling, operator, inputs)
        texts = [piece.within(ATOM) if f"{{{place}}}^" in spelling else piece.text for place, piece in enumerate(inputs)]
        text = spelling.format(*texts, **{name: self.attribute(value) for name, value in operator.attributes})
        return Piece(POWER if "^{" in spelling else ATOM, text)

    def _call(self, name: str, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        given = dict(operator.attributes)
        shown = [
            f"{_escaped(name)}={self.attribute(value)}" for name, value in given.items() if self._is_shown(operator, name, value)
        ]
        usual = name != r"\sigma" and not name.startswith(r"\operatorname")
        plain = usual and len(inputs) == 1 and not shown and inputs[0].level == ATOM and _is_short(inputs[0].text)
        closed = _bracketed(", ".join([*(piece.text for piece in inputs), *shown]))
        rest = f" {inputs[0].text}" if plain else closed
        piece = Piece(FRACTION, name + rest)
        self._calls[piece.text] = (name, rest)
        if plain:
            self._closed[piece.text] = name + closed
        return piece

    def _before(self, text: str) -> str:
        """A text before another factor."""
        return self._closed.get(text, text)

    def _ends_with(self, piece: Piece, begin: str, end: str) -> Piece:
        """A piece that ends with the text of another one."""
        if end in self._closed:
            self._closed[piece.text] = begin + self._closed[end]
        return piece

    @staticmethod
    def _is_shown(operator: Operator, name: str, value: Any) -> bool:
        assert operator.gate is not None
        return any(attribute.name == name and attribute.default != value for attribute in operator.gate.attributes)

    def _relation(self, sign: str, inputs: Sequence[Piece]) -> Piece:
        left, right = inputs
        inner = f"{within(left, SUM)} {sign} {within(right, SUM)}"
        text = f"\\left[{inner}\\right]"
        self._relations[text] = inner
        return Piece(ATOM, text)

    def _power(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        base, exponent = inputs
        call = self._calls.get(base.text)
        if call is not None and exponent.text.isdigit() and "_" not in call[0]:
            head = f"{call[0]}^{{{exponent.text}}}"
            piece = Piece(FRACTION, head + call[1])
            if base.text in self._closed:
                self._closed[piece.text] = head + self._closed[base.text].removeprefix(call[0])
            return piece
        each = r"\odot " if self.shapes and len(self.shapes[0]) > 1 else ""
        return Piece(POWER, f"{within(base, ATOM)}^{{{each}{exponent.text}}}")

    def _square(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        return self._power(operator, [inputs[0], Piece(ATOM, "2")])

    def _quotient(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        above, below = inputs
        if above.text.startswith("-") and above.level > SUM:
            return Piece(SIGN, f"-\\frac{{{above.text[1:]}}}{{{below.text}}}")
        return Piece(FRACTION, f"\\frac{{{above.text}}}{{{below.text}}}")

    def _product(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        left, right = self._before(within(inputs[0], PRODUCT)), within(inputs[1], PRODUCT + 1)
        if inputs[1].text.startswith("-"):
            right = _bracketed(inputs[1].text)
        dot = right[:1].isdigit() or (left[-1:].isdigit() and right.startswith("\\frac"))
        sign = r" \odot" if len(self.shapes) == 2 and all(self.shapes) else r" \cdot" if dot else ""
        piece = Piece(PRODUCT, f"{left}{sign} {right}")
        if "odot" in sign:
            self._elementwise.add(piece.text)
        return self._ends_with(piece, f"{left}{sign} ", right)

    def _sum(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        assert operator.gate is not None
        left, right = inputs
        minus = operator.gate.name == "-"
        behind = _bracketed(right.text) if right.text.startswith("-") else within(right, PRODUCT if minus else SUM)
        return Piece(SUM, f"{within(left, SUM)} {operator.gate.name} {behind}")

    def _negation(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        (inner,) = inputs
        text = _bracketed(inner.text) if inner.text.startswith("-") else within(inner, PRODUCT)
        return self._ends_with(Piece(SIGN, f"-{text}"), "-", text)

    def _remainder(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        return Piece(PRODUCT, f"{self._before(within(inputs[0], PRODUCT))} \\bmod {within(inputs[1], POWER)}")

    def _matrix_product(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        left = within(inputs[0], PRODUCT + (inputs[0].text in self._elementwise))
        left, right = self._before(left), within(inputs[1], PRODUCT + 1)
        return self._ends_with(Piece(PRODUCT, f"{left}\\, {right}"), f"{left}\\, ", right)

    def _cases(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        condition, yes, no = inputs
        words = self._relations.get(condition.text) or f"{within(condition, SUM)} \\ne 0"
        lines = rf"{yes.text} & \text{{if }} {words} \\ {no.text} & \text{{otherwise}}"
        return Piece(ATOM, rf"\begin{{cases}} {lines} \end{{cases}}")

    def _stack(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        if dict(operator.attributes).get("axis") != 0:
            return self._call(r"\operatorname{stack}", operator, inputs)
        rows = [self._rows.get(piece.text) for piece in inputs]
        lines = [" & ".join(row) for row in rows if row is not None] if all(rows) else [piece.text for piece in inputs]
        text = _matrix(lines)
        if not all(rows):
            self._rows[text] = lines
        return Piece(ATOM, text)

    def _index(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        index = self.attribute(dict(operator.attributes)["index"])
        return Piece(ATOM, f"{{{within(inputs[0], ATOM)}}}_{{{index}}}")

    def _identity(self, operator: Operator, inputs: Sequence[Piece]) -> Piece:
        return inputs[0]

    def constant(self, value: Any) -> Piece:
        """A constant: a number, or an array as a matrix."""
        if not isinstance(value, float):
            return Piece(ATOM, self.array(value))
        text = self.number(value)
        return Piece(SIGN if text.startswith("-") else PRODUCT if "times" in text else ATOM, text)

    def number(self, value: float) -> str:
        """A float, powers of ten written out."""
        if value in _CONSTANTS:
            return _CONSTANTS[value]
        text = spell_number(value)
        if "inf" in text:
            return text.replace("inf", r"\infty")
        mantissa, _, exponent = text.partition("e")
        if not exponent or text == "nan":
            return r"\mathrm{nan}" if text == "nan" else text
        power = f"10^{{{int(exponent)}}}"
        return power if mantissa == "1" else f"{mantissa} \\times {power}"

    def array(self, value: Any) -> str:
        """A constant array of one or two axes; others by their size."""
        if value.ndim > 2:
            size = r" \times ".join(map(str, value.shape))
            return rf"\mathrm{{array}}_{{{size}}}"
        rows = value.tolist() if value.ndim == 2 else [[item] for item in value.tolist()]
        return _matrix([" & ".join(_ends([self.number(float(item)) for item in row], r"\cdots")) for row in _ends(rows, [])])

    def attribute(self, value: Any) -> str:
        """The value of a keyword argument."""
        if isinstance(value, tuple):
            return spell_index(value).replace(", ", ",")
        return self.number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value).lower()


_WRITTEN: dict[str, Callable[[LatexWriter, Operator, Sequence[Piece]], Piece]] = {
    "+": LatexWriter._sum,
    "-": LatexWriter._sum,
    "*": LatexWriter._product,
    "/": LatexWriter._quotient,
    "neg": LatexWriter._negation,
    "pow": LatexWriter._power,
    "square": LatexWriter._square,
    "%": LatexWriter._remainder,
    "@": LatexWriter._matrix_product,
    "where": LatexWriter._cases,
    "stack": LatexWriter._stack,
    "[]": LatexWriter._index,
    "=": LatexWriter._identity,
}
"""What is written by syntax, not by a name."""


def latex(
    graph: Graph, node: int, names: Callable[[int], str | None] = lambda node: None, shapes: Sequence[Shape] | None = None
) -> str:
    """A node as LaTeX.

    Args:
        graph: the graph.
        node: what to write; it is written out even if it has a name.
        names: the name of a node (inputs have one), which then stands for it.
        shapes: of all nodes, if they are known.
    """
    writer = LatexWriter()
    pieces: dict[int, Piece] = {}
    stack = [node]
    while stack:
        current = stack[-1]
        if current in pieces:
            stack.pop()
            continue
        code = graph.codes[current]
        name = names(current) if current != node or code <= CONSTANT else None
        operator = graph.operator(current)
        if name is not None:
            pieces[current] = Piece(ATOM, latex_name(name))
        elif code == CONSTANT:
            pieces[current] = writer.constant(graph.constant(current))
        elif operator.gate is None:
            pieces[current] = Piece(ATOM, f"x_{{{graph.left[current]}}}")
        else:
            missing = [source for source in graph.inputs(current) if source not in pieces]
            if missing:
                stack += missing
                continue
            writer.shapes = [shapes[source] for source in graph.inputs(current)] if shapes is not None else ()
            count = operator.gate.arity[1] if operator.gate.family == "user" else None
            pieces[current] = writer.gate(operator, [pieces[source] for source in graph.inputs(current)[:count]])
    return pieces[node].text


def latex_name(name: str) -> str:
    r"""A name of a program as LaTeX: `theta1` is \theta_{1}, `rate` upright, `x[0,1]` an element."""
    element = re.fullmatch(r"(.+)\[([-\d, ]+)\]", name)
    if element:
        return f"{{{latex_name(element[1])}}}_{{{element[2].replace(' ', '')}}}"
    stem, _, below = name.strip("_").partition("_")
    digits = re.fullmatch(r"(\D+?)(\d+)", stem)
    if digits and not below:
        stem, below = digits[1], digits[2]
    text = _stem(stem or name)
    return f"{text}_{{{_stem(below) if not below.isdigit() else below}}}" if below else text


def _stem(word: str) -> str:
    if word in GREEK:
        return "\\" + word
    if word in GREEK_LETTERS:
        return "\\" + GREEK_LETTERS[word]
    if len(word) == 1 and word.isascii():
        return _escaped(word)
    return f"\\mathrm{{{_escaped(word)}}}" if word.isascii() else f"\\text{{{_escaped(word)}}}"


def _escaped(word: str) -> str:
    return word.replace("_", r"\_").replace("%", r"\%").replace("#", r"\#").replace("&", r"\&")


def within(piece: Piece, level: int) -> str:
    """A text in a place that asks for this level, in brackets that grow with it if need be."""
    return piece.text if piece.level >= level else _bracketed(piece.text)


def _bracketed(text: str) -> str:
    return f"\\left({text}\\right)"


def _is_short(text: str) -> bool:
    return bool(re.fullmatch(r"\\?\w+(_\{\w+\})?|\\math\w+\{\w+\}", text))


def _matrix(lines: Sequence[str]) -> str:
    rows = r" \\ ".join(lines)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _ends(items: list[Any], between: Any) -> list[Any]:
    """The items, or the first and the last of very many."""
    if len(items) <= LARGEST_MATRIX:
        return items
    return [*items[:3], *([between] if between else []), items[-1]]


def in_lines(text: str) -> str:
    """A formula that is too long for a line, in several that begin with the signs of its terms; else as it is."""
    if len(text) <= LONGEST_LINE:
        return text
    lines: list[str] = [""]
    for term in _terms(text):
        if lines[-1] and len(lines[-1]) + len(term) > LONGEST_LINE:
            lines.append("")
        lines[-1] += term
    if len(lines) == 1:
        return text
    rows = " \\\\ ".join(f"&{line}" if place == 0 else f"&\\quad {{}}{line.lstrip()}" for place, line in enumerate(lines))
    return rf"\begin{{aligned}}[t] {rows} \end{{aligned}}"


def _terms(text: str) -> list[str]:
    """A sum cut before the signs that are in no brackets."""
    pieces, depth, begin = [], 0, 0
    for found in re.finditer(r"\\left|\\right|\\begin|\\end|[{}]| [+-] ", text):
        token = found[0]
        if token in ("\\left", "\\begin", "{"):
            depth += 1
        elif token in ("\\right", "\\end", "}"):
            depth -= 1
        elif depth == 0:
            pieces.append(text[begin : found.start()])
            begin = found.start()
    return [*pieces, text[begin:]]


def latex_derivative(output: str, by: Sequence[str], partial: bool = True) -> str:
    """How a derivative is written, as a fraction of differentials."""
    sign = r"\partial" if partial else "d"
    order = len(by)
    power = f"^{{{order}}}" if order > 1 else ""
    below = " ".join(f"{sign} {name}" if count == 1 else f"{sign} {name}^{{{count}}}" for name, count in _counted(by))
    return rf"\frac{{{sign}{power} {output}}}{{{below}}}"


def _counted(by: Sequence[str]) -> list[tuple[str, int]]:
    counted: Mapping[str, int] = {name: list(by).count(name) for name in by}
    return [(latex_name(name), number) for name, number in counted.items()]
