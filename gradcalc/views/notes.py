"""An explanation for notes: Markdown or LaTeX, with every line as a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcalc.dialects.latex import PRODUCT, LatexWriter, latex_name
from gradcalc.dialects.source import ATOM, SIGN, Piece
from gradcalc.graph import CONSTANT, Graph
from gradcalc.views.explanation import DIGITS
from gradcalc.views.numbers import rounded_text

if TYPE_CHECKING:
    from gradcalc.studies.explanation import Contribution, Explanation, Local, Step

WHOLE_ARRAY = 16
"""Arrays of up to so many elements are written out."""


class Section(NamedTuple):
    """A heading, or none; a formula that words are about; and equations below each other: their left side, and the rest."""

    heading: str
    about: str
    words: str
    equations: list[tuple[str, list[str]]]


def markdown_text(told: Explanation, digits: int | None) -> str:
    """The explanation as Markdown, with formulas between dollar signs."""
    pieces = [f"## ${_Notes(told, digits or DIGITS).title()}$\n"]
    for section in _Notes(told, digits or DIGITS).sections():
        if section.heading:
            pieces.append(f"### {section.heading}\n")
        if section.words or section.about:
            pieces.append(f"{_lead(section)}{_markdown_escaped(section.words)}\n")
        if section.equations:
            pieces.append(f"$$\n\\begin{{aligned}}\n{_rows(section.equations)}\n\\end{{aligned}}\n$$\n")
    return "\n".join(pieces)


def latex_text(told: Explanation, digits: int | None) -> str:
    """The explanation as a piece of a LaTeX document that uses the package amsmath."""
    notes = _Notes(told, digits or DIGITS)
    pieces = ["% needs \\usepackage{amsmath}\n", f"\\subsection*{{${notes.title()}$}}\n"]
    for section in notes.sections():
        if section.heading:
            pieces.append(f"\\paragraph{{{section.heading}.}}")
        if section.words or section.about:
            pieces.append(f"{_lead(section)}{_latex_escaped(section.words)}")
        if section.equations:
            pieces.append(f"\\begin{{align*}}\n{_rows(section.equations)}\n\\end{{align*}}\n")
    return "\n".join(pieces)


def _lead(section: Section) -> str:
    """The formula that words are about."""
    if not section.about:
        return ""
    return f"${section.about}$: " if section.words else f"${section.about}$:"


def _rows(equations: Sequence[tuple[str, list[str]]]) -> str:
    lines = (f"  {left} &= {' = '.join(right)}" for left, right in equations)
    return " \\\\\n".join(lines)


def _markdown_escaped(text: str) -> str:
    return re.sub(r"([*_`\\<\[\]$])", r"\\\1", text)


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}


def _latex_escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


class _Notes:
    """Writes the lines of one explanation as formulas."""

    def __init__(self, told: Explanation, digits: int) -> None:
        self.told = told
        self.digits = digits
        self.writer = LatexWriter()
        self.said: set[str] = set()

    def title(self) -> str:
        """The output and its value."""
        told = self.told
        graph = told.graph
        pieces: dict[int, Piece] = {}
        for node, code in enumerate(graph.codes):
            if node in told.formula.names and node != told.output.node:
                pieces[node] = Piece(ATOM, latex_name(told.formula.names[node]))
            elif code == CONSTANT:
                pieces[node] = self.constant(node)
            else:
                pieces[node] = self._gate(graph, node, pieces) if graph.operators[code].gate else self.name(node)
        text = pieces[told.output.node].text
        name = self.name(told.output.node).text
        return " = ".join(dict.fromkeys([name, text, self.number(told.output.value)]))

    def sections(self) -> Iterator[Section]:
        """The forward pass, every gate of the backward pass, and the gradients."""
        told = self.told
        words = "Every gate computes its value from those of its inputs."
        yield Section("Forward", "", words, [self._forward(step) for step in told.forward()])
        backward = list(told.backward())
        words = "Every gate hands on the gradient from above times its local derivative."
        if any(len(step.arrived) > 1 for step in told.forward()):
            words += (
                " What a node gets through one of several gates has the name of the gate behind a bar; in the end it is added up."
            )
        if backward:
            output = told.output
            yield Section("Backward", "", words, [(self._gradient(output.node), [self.number(output.gradient)])])
        for step in backward:
            about = f"{self.name(step.node).text} = {self._on(step.node, self.name)}"
            yield Section("", about, self._sentence(step), list(self._backward(step)))
        results = [self._result(told.steps[node]) for node in told.wanted.values()]
        if results:
            yield Section("Gradients", "", "", results)

    # ---- pieces of formulas ------------------------------------------------------------------------------------------------------

    def name(self, node: int) -> Piece:
        """What a node is called."""
        if self.told.graph.codes[node] == CONSTANT:
            return self.constant(node)
        return Piece(ATOM, latex_name(self.told.names[node]))

    def constant(self, node: int) -> Piece:
        """A constant as it was written."""
        name = self.told.names[node]
        return Piece(ATOM, latex_name(name)) if name.isidentifier() else self.writer.constant(self.told.graph.constant(node))

    def number(self, value: Any) -> str:
        """A number, or an array that is not too large."""
        if isinstance(value, float):
            return self.writer.constant(float(rounded_text(value, self.digits))).text
        if value.size <= WHOLE_ARRAY and value.ndim <= 2:
            import numpy

            numbers = [float(rounded_text(number, min(self.digits, 4))) for number in value.ravel().tolist()]
            return self.writer.constant(numpy.array(numbers).reshape(value.shape)).text
        shape = r" \times ".join(map(str, value.shape))
        low, high = (rounded_text(float(end), 3) for end in (value.min(), value.max()))
        return rf"\text{{array }} {shape} \text{{ in }} [{low}, {high}]"

    def factor(self, value: Any) -> str:
        """A number inside a product."""
        text = self.number(value)
        return rf"\left({text}\right)" if text.startswith("-") else text

    def _gate(self, graph: Graph, node: int, pieces: Mapping[int, Piece]) -> Piece:
        told = self.told
        self.writer.shapes = [told.evaluation.shape(source) for source in graph.inputs(node)] if graph is told.graph else ()
        return self.writer.gate(graph.operator(node), [pieces[source] for source in graph.inputs(node)])

    def _on(self, node: int, piece: Callable[[int], Piece]) -> str:
        graph = self.told.graph
        return self._gate(graph, node, {source: piece(source) for source in graph.inputs(node)}).text

    def _value(self, node: int) -> Piece:
        if self.told.graph.codes[node] == CONSTANT:
            return self.constant(node)
        text = self.number(self.told.evaluation.values[node])
        level = PRODUCT if "10^" in text else SIGN if text.startswith("-") else ATOM
        return Piece(level, text)

    def _local(self, local: Local, top: int) -> str:
        """A local derivative; what only fits a shape is left out."""
        graph = local.graph
        pieces: dict[int, Piece] = {}
        reached = graph.reached([top])
        for node in range(top + 1):
            if not reached[node]:
                continue
            if node in local.names:
                pieces[node] = self._spelled_name(local.names[node])
            elif graph.codes[node] == CONSTANT:
                pieces[node] = self.writer.constant(graph.constant(node))
            elif local.is_shaping(node):
                pieces[node] = pieces[graph.inputs(node)[0]]
            else:
                pieces[node] = self._gate(graph, node, pieces)
        return pieces[top].text

    def _spelled_name(self, name: str) -> Piece:
        if name.startswith("∂"):
            of, by = (latex_name(word) for word in name.removeprefix("∂").split("/∂"))
            return Piece(ATOM, rf"\frac{{\partial {of}}}{{\partial {by}}}")
        return Piece(ATOM, latex_name(name) if name != "1" else "1")

    def _derivative(self, of: int, by: int) -> str:
        return rf"\frac{{\partial {self.name(of).text}}}{{\partial {self.name(by).text}}}"

    def _gradient(self, node: int) -> str:
        return self._derivative(self.told.output.node, node)

    # ---- lines -------------------------------------------------------------------------------------------------------------------

    def _forward(self, step: Step) -> tuple[str, list[str]]:
        value = self.number(step.value)
        if step.gate is None:
            return self.name(step.node).text, [value]
        rest = [self._on(step.node, self.name)]
        if all(not self.told.evaluation.shape(source) for source in self.told.graph.inputs(step.node)):
            rest.append(self._on(step.node, self._value))
        return self.name(step.node).text, list(dict.fromkeys([*rest, value]))

    def _sentence(self, step: Step) -> str:
        assert step.gate is not None
        words = ""
        if step.gate.sentence not in self.said:
            self.said.add(step.gate.sentence)
            words = self.told.sentence(step)
        kink = (
            ""
            if step.kink is None
            else f"{step.gate.name} has {'a kink' if step.kink.kind == 'kink' else 'an edge'} here: {step.kink.words}."
        )
        return " ".join(part for part in (words, kink) if part)

    def _backward(self, step: Step) -> Iterator[tuple[str, list[str]]]:
        """What a gate hands on: a local derivative and a product for each input."""
        if len(step.arrived) > 1:
            yield self._result(step)
        for made in step.handed:
            yield from self._contribution(step, made)

    def _contribution(self, step: Step, made: Contribution) -> Iterator[tuple[str, list[str]]]:
        several = len(self.told.steps[made.source].arrived) > 1
        target = self._gradient(made.source)
        if several:
            target = rf"\left. {target} \right|_{{{self.name(step.node).text}}}"
        above = self._gradient(step.node)
        if made.slope is None:
            if made.formula is not None and made.value is not None:
                node, words = made.formula.without_shaping()
                said = rf" \quad \text{{({', '.join(words)})}}" if words else ""
                yield target, [self._local(made.formula, node) + said, self.number(made.value)]
            return
        local = self._derivative(step.node, made.source)
        formula = [] if made.formula is None else [self._local(made.formula, made.formula.node)]
        slope = list(dict.fromkeys([*formula, self.number(made.slope)]))
        if step.node == self.told.output.node and made.sum_from is None and isinstance(made.value, float):
            yield target, slope  # the gradient from above is 1
            return
        yield local, slope
        if made.value is None:
            return
        numbers = (
            [rf"{self.number(made.above)} \cdot {self.factor(made.slope)}"]
            if isinstance(made.value, float) and made.sum_from is None
            else []
        )
        summed = r" \quad \text{(summed)}" if made.sum_from is not None else ""
        yield target, [rf"{above} \cdot {local}{summed}", *numbers, self.number(made.value)]

    def _result(self, step: Step) -> tuple[str, list[str]]:
        """A gradient, as a sum if several paths meet."""
        terms = [made.value for made in step.arrived]
        sums = []
        if len(terms) > 1 and all(isinstance(term, float) for term in terms) and not step.mended:
            sums = [" + ".join([self.number(terms[0]), *map(self.factor, terms[1:])])]
        return self._gradient(step.node), [*sums, self.number(step.gradient)]
