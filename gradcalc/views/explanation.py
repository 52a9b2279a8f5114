"""The chain rule on paper: the forward pass with numbers put in, then the backward pass, product by product and sum by sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.dialects.language import Speller
from gradcalc.views.conventions import conventions_text
from gradcalc.views.json import SCHEMA, plain
from gradcalc.views.numbers import array_text, rounded_text
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, cell, cell_width, painted, wrapped
from gradcalc.views.text import cut, to_ascii, visible, width

if TYPE_CHECKING:
    from gradcalc.dialects.language import Spelled
    from gradcalc.studies.explanation import Contribution, Explanation, Local, Step

DIGITS = 6
ROOM = 110
"""How long a line becomes where nothing limits it."""

END_STEPS = 50
"""How many steps stay at each end of a long explanation."""

MOST_PATHS = 6
"""Of more paths than these, only some are named."""

SHORT_ARRAY, LONG_ARRAY = 32, 48
"""How much room an array has inside a line, in narrow places and in others."""

FORMULA = 60
RULE = 90
"""How long the formula of a local derivative may be, and that of all that is handed on."""


def explanation_text(told: Explanation, surface: Surface, digits: int | None, every_row: bool, conventions: bool) -> str:
    """A whole explanation for the terminal."""
    return _Writer(told, surface, digits or DIGITS, every_row, conventions).text()


class _Writer:
    """Writes one explanation as lines of spans."""

    def __init__(self, told: Explanation, surface: Surface, digits: int, every_row: bool, conventions: bool) -> None:
        self.told = told
        self.surface = surface
        self.digits = digits
        self.every_row = every_row
        self.conventions = conventions
        self.room = surface.width if surface.terminal else ROOM
        self.said: set[str] = set()

    def text(self) -> str:
        told = self.told
        lines = [*self._heading(), cell(""), *self._forward()]
        backward = list(told.backward())
        if backward:
            lines += [cell(""), *self._backward(backward)]
        if told.wanted or told.unreached:
            lines += [cell(""), *self._gradients()]
        else:
            lines += [cell(""), cell("It depends on no input, so there is nothing to differentiate by.", "quiet")]
        if not self.surface.unicode:
            lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
        text = painted(lines, self.surface)
        if self.conventions:
            kinks = [step.kink for step in told.forward() if step.kink is not None]
            text += "\n" + conventions_text(kinks, self.surface)
        return text

    # ---- numbers -----------------------------------------------------------------------------------------------------------------

    def number(self, value: Any) -> str:
        """A number or a short array."""
        if isinstance(value, float):
            return rounded_text(value, self.digits)
        return array_text(value, min(self.digits, 4), LONG_ARRAY if self.room >= ROOM else SHORT_ARRAY)

    def factor(self, value: Any) -> str:
        """A number inside a product: a negative one in brackets."""
        text = self.number(value)
        return f"({text})" if text.startswith("-") else text

    # ---- forward -----------------------------------------------------------------------------------------------------------------

    def _heading(self) -> Iterator[Cell]:
        told = self.told
        output = told.output
        text = cut(visible(told.formula.text), 3 * self.room)
        spans: list[Span] = []
        value = self.number(output.value)
        if visible(output.name) not in (text, value):
            spans += [Span(visible(output.name), "name"), Span(" = ")]
        spans += [Span(text, "strong")] + ([Span(" = "), Span(value, "value")] if value != text else [])
        yield from wrapped(spans, self.room, 4)

    def _forward(self) -> Iterator[Cell]:
        yield from self._wrapped((Span("Forward", "strong"), Span(": every gate computes its value from those of its inputs.")))
        steps, gap = self._shown(list(self.told.forward()))
        rows = [self._equation(step) for step in steps]
        widths = [max((width(row[column]) for row in rows), default=0) for column in range(3)]
        fits = 2 + sum(widths) + 9 + max((width(row[3]) for row in rows), default=0) <= self.room
        for number, (name, formula, numbers, value) in enumerate(rows):
            if number == gap:
                yield self._gap(len(self.told.steps) - len(steps))
            pieces = [Span("  "), Span(name, "name")]
            if formula:
                padding = " " * (widths[0] - width(name)) if fits else ""
                pieces += [Span(f"{padding} = {formula}")]
                if numbers:
                    padding = " " * (widths[1] - width(formula)) if fits else ""
                    pieces += [Span(f"{padding} = {numbers}")]
                    padding = " " * (widths[2] - width(numbers)) if fits else ""
                else:
                    padding = " " * (widths[1] - width(formula) + (widths[2] + 3 if widths[2] else 0)) if fits else ""
            else:
                columns = sum(widths) + 3 * sum(1 for size in widths[1:] if size)
                padding = " " * (columns - width(name)) if fits else ""
            pieces += [Span(f"{padding} = "), Span(value, "value")] if value else []
            yield from self._wrapped(tuple(pieces), 6)

    def _equation(self, step: Step) -> tuple[str, str, str, str]:
        """The name, the gate on names, the gate on numbers, and the value."""
        name, value = visible(step.name), self.number(step.value)
        if step.gate is None:
            return name, "", "", value if value != name else ""
        formula = visible(self.told.spelled(step.node))
        if any(len(self.told.evaluation.shape(source)) > 1 for source in self.told.graph.inputs(step.node)):
            return name, formula, "", value  # matrices say nothing inside a line
        numbers = self.told.put_in(step.node, self.number)
        return name, formula, "" if numbers in (formula, value) or "×" in numbers else numbers, value

    def _shown(self, steps: Sequence[Step]) -> tuple[Sequence[Step], int]:
        """The steps that are shown, and behind how many of them some are left out; -1 if none are."""
        if self.every_row or len(steps) <= 2 * END_STEPS:
            return steps, -1
        return [*steps[:END_STEPS], *steps[-END_STEPS:]], END_STEPS

    def _gap(self, count: int) -> Cell:
        return cell(f"  … {count} more steps: --all shows them", "quiet")

    # ---- backward ----------------------------------------------------------------------------------------------------------------

    def _backward(self, steps: Sequence[Step]) -> Iterator[Cell]:
        name = visible(self.told.output.name)
        words = f": from {name} to the inputs, every gate hands on the gradient from above times its local derivative."
        yield from self._wrapped((Span("Backward", "strong"), Span(words)))
        shown, gap = self._shown(steps)
        for number, step in enumerate(shown):
            yield cell("")
            if number == gap:
                yield self._gap(len(steps) - len(shown))
                yield cell("")
            yield from self._block(step)

    def _block(self, step: Step) -> Iterator[Cell]:
        """One gate: the gradient that arrives, what the gate does to it, and what each input gets."""
        assert step.gate is not None
        head = [Span("  "), Span(visible(step.name), "name"), Span(f" = {visible(self.told.spelled(step.node))}")]
        head += [Span("   gradient "), *self._arrived(step)]
        yield from self._wrapped(tuple(head), 6)
        if step.gate.sentence not in self.said:
            self.said.add(step.gate.sentence)
            yield from self._wrapped((Span(f"    {visible(self.told.sentence(step))}", "quiet"),), 4)
        if step.kink is not None:
            what = "kink" if step.kink.kind == "kink" else "edge"
            where = f" in {step.kink.elements} elements" if step.kink.elements is not None else ""
            sign = "∧ " if self.surface.unicode and what == "kink" else "⊢ " if self.surface.unicode else ""
            yield from self._wrapped((Span(f"    {sign}{what}", what), Span(f"{where}: {visible(step.kink.words)}")), 6)
        rows = [self._row(step, made) for made in step.handed]
        room = max(cell_width(left) for left, _ in rows)
        for left, right in rows:
            gap = Span(" " * (room - cell_width(left) + 4))
            if 4 + room + 4 + cell_width(right) <= self.room:
                yield (Span("    "), *left, gap, *right)
            else:
                yield from self._wrapped((Span("    "), *left), 8)
                yield from self._wrapped((Span("      "), *right), 8)

    def _arrived(self, step: Step) -> Iterator[Span]:
        """The gradient of a step: 1 for the output, a single number, or a sum over paths."""
        told = self.told
        if step.node == told.output.node:
            yield Span(self.number(step.gradient), "gradient")
            yield Span(" (it is the output)", "quiet")
            return
        if len(step.arrived) > 1 and all(isinstance(made.value, float) for made in step.arrived):
            terms = [self.number(step.arrived[0].value), *(self.factor(made.value) for made in step.arrived[1:])]
            if len(terms) > MOST_PATHS:
                terms[MOST_PATHS - 1 : -1] = ["…"]
            yield Span(" + ".join(terms) + " = ")
        yield Span(self.number(step.gradient), "gradient")
        if len(step.arrived) > 1:
            through = list(dict.fromkeys(visible(told.names[made.node]) for made in step.arrived))
            if len(through) > MOST_PATHS:
                through[MOST_PATHS - 1 :] = [f"{len(through) - MOST_PATHS + 1} more"]
            paths = f"its {len(step.arrived)} paths, through {_listed(through)}"
            yield Span(f" (the sum over {paths})", "quiet")
        if step.mended:
            yield Span(" (from the simplified derivative: the products are no numbers here)", "quiet")
        elif not step.arrived:
            yield Span(" (nothing arrives here)", "quiet")

    def _row(self, step: Step, made: Contribution) -> tuple[Cell, Cell]:
        """The local derivative as formula and number; and the product."""
        told = self.told
        target = visible(told.names[made.source])
        if made.value is None:
            words = "" if made.slope is None else f"{name_of(step, made, told)} = {self._slope(made)}"
            return cell(words), (Span(target, "name"), Span(" gets nothing"))
        if made.slope is None:
            left: Cell = (Span(target, "name"), Span(" gets "), Span(self._rule(made)))
            return left, (Span("= "), Span(self.number(made.value), "gradient"))
        name = name_of(step, made, told)
        left = (Span(f"{name} = {self._slope(made)}"), *((Span(" (by convention)", "quiet"),) if made.agreed else ()))
        above = self.number(made.above)
        product = f"{above}·{self.factor(made.slope)}" if isinstance(made.value, float) and made.sum_from is None else ""
        if not product:
            from_above = visible(told.gradient_name(step.node)) if step.node != told.output.node else self.number(made.above)
            product = f"{from_above}·{name}" + (", summed to its shape," if made.sum_from is not None else "")
        return left, (Span(target, "name"), Span(f" gets {product} = "), Span(self.number(made.value), "gradient"))

    def _slope(self, made: Contribution) -> str:
        """The local derivative as a formula and as a number."""
        slope = self.number(made.slope)
        formula = formula_text(made.formula)
        return f"{formula} = {slope}" if formula and formula != slope else slope

    def _rule(self, made: Contribution) -> str:
        """What a gate with a rule of its own hands on, in words where it is only fitted to a shape."""
        local = made.formula
        assert local is not None
        node, words = local.without_shaping()
        return ", ".join([formula_text(local, node, RULE), *words])

    # ---- results -----------------------------------------------------------------------------------------------------------------

    def _gradients(self) -> Iterator[Cell]:
        told = self.told
        yield from self._wrapped((Span("Gradients", "strong"), Span(f" of {visible(told.output.name)}")))
        room = max((width(visible(name)) for name in told.wanted), default=0)
        for name, node in told.wanted.items():
            step = told.steps[node]
            padding = " " * (room - width(visible(name)))
            yield from self._wrapped((Span("  "), Span(visible(name), "name"), Span(f"{padding}  "), *self._arrived(step)), 6)
        for name in told.unreached:
            yield from self._wrapped(
                (Span("  "), Span(visible(name), "name"), Span("  0 (no path leads from it to the output)")), 6
            )
        if told.evaluation.shape(told.output.node):
            words = "The output is an array: these are the gradients of the sum of its elements."
            yield from self._wrapped((Span(f"  {words}", "quiet"),))

    def _wrapped(self, spans: Cell, indent: int = 2) -> Iterator[Cell]:
        return wrapped(spans, self.room, indent)


def name_of(step: Step, made: Contribution, told: Explanation) -> str:
    """`∂q/∂x`."""
    from gradcalc.studies.explanation import derivative_name

    return visible(derivative_name(step.name, told.names[made.source]))


def formula_text(local: Local | None, node: int | None = None, limit: int = FORMULA) -> str:
    """A local derivative as a formula, its inner fittings of shapes left out."""
    if local is None:
        return ""

    def transparent(inner: int) -> Spelled | None:
        return speller.piece(local.graph.inputs(inner)[0]) if local.is_shaping(inner) else None

    speller = Speller(local.graph, local.names.get, limit, transparent)
    return visible(speller(local.node if node is None else node))


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# ---- data ------------------------------------------------------------------------------------------------------------------------


def explanation_document(told: Explanation) -> dict[str, Any]:
    """The steps as plain data: nodes forwards, what each hands on backwards, and the gradients."""
    return {
        "schema": SCHEMA,
        "output": told.formula.text,
        "value": plain(told.output.value),
        "forward": [
            {
                "name": step.name,
                "gate": "input" if step.gate is None else step.gate.name,
                **({} if step.gate is None else {"formula": told.spelled(step.node)}),
                "value": plain(step.value),
            }
            for step in told.forward()
        ],
        "backward": [
            {
                "name": step.name,
                "gradient": plain(step.gradient),
                "sentence": told.sentence(step),
                **({} if step.kink is None else {step.kink.kind: step.kink.words}),
                "hands_on": [_handed(told, made) for made in step.handed],
            }
            for step in told.backward()
        ],
        "gradients": {
            name: {"sum_of": [plain(made.value) for made in told.steps[node].arrived], "gradient": plain(told.steps[node].gradient)}
            for name, node in told.wanted.items()
        }
        | {name: {"sum_of": [], "gradient": 0.0} for name in told.unreached},
        "warnings": told.formula.warnings,
    }


def _handed(told: Explanation, made: Contribution) -> dict[str, Any]:
    rule = "rule" if made.slope is None else "local_derivative"
    return {
        "to": told.names[made.source],
        "from_above": plain(made.above),
        rule: formula_text(made.formula, limit=1000),
        **({} if made.slope is None else {"slope": plain(made.slope)}),
        "product": plain(made.value),
    }
