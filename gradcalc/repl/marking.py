"""Marks an exercise: follows the first wrong number back to the gate where the chain broke, and looks for the slip."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import NamedTuple

from gradcalc.repl.circuits import OUTPUT, Circuit, Step, slopes_of, value_of, wrong_values
from gradcalc.views.numbers import short_text

RELATIVE = 5e-3
"""How far an answer may be off: three digits are enough, rounded on the way."""
ABSOLUTE = 1e-9

Answers = Mapping[str, float | None]
"""What was answered, by name; None where there was no answer."""


class Mark(NamedTuple):
    """What is to be said about one answer.

    Attributes:
        name: of the node.
        kind: `right`; `broken`, where the chain broke; `follows`, where a wrong number was handed on rightly; `missing`.
        right: the right number.
        words: how it comes about; of a broken one also the slip, if one is recognized.
    """

    name: str
    kind: str
    right: float
    words: str = ""


def close(answer: float, right: float) -> bool:
    """Whether an answer is right to three digits."""
    return isclose(answer, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def mark_values(circuit: Circuit, answers: Answers) -> list[Mark]:
    """Mark the forward pass: the value of each step."""
    marks = []
    own: dict[str, float] = dict(circuit.inputs)
    for step in circuit.steps:
        answer, right = answers.get(step.name), circuit.values[step.name]
        given = [own.get(operand, circuit.values[operand]) for operand in step.operands]
        own[step.name] = right if answer is None else answer
        if answer is None:
            marks.append(Mark(step.name, "missing", right, _worked(step, circuit.arguments(step), right)))
        elif close(answer, right):
            marks.append(Mark(step.name, "right", right))
        elif given != circuit.arguments(step) and _gives(step, given, answer):
            marks.append(
                Mark(
                    step.name,
                    "follows",
                    right,
                    f"yours is right with your {_blamed(step, own, circuit.values)}, so the mistake is there",
                )
            )
        else:
            slip = next((words for value, words in _value_slips(step, given) if close(answer, value)), "")
            words = _worked(step, circuit.arguments(step), right)
            marks.append(Mark(step.name, "broken", right, f"{words}{_slip(step, slip)}"))
    return marks


def _gives(step: Step, given: Sequence[float], answer: float) -> bool:
    return close(answer, value_of(step.kind.formula, given))


def _value_slips(step: Step, given: Sequence[float]) -> Iterator[tuple[float, str]]:
    right = value_of(step.kind.formula, given)
    yield from wrong_values(step.kind, given)
    yield -right, "the sign is wrong"


def _worked(step: Step, arguments: Sequence[float], right: float) -> str:
    """`q = x + y = -2 + 5 = 3`."""
    formula = step.kind.formula
    # Nothing but a leading operand and an argument in brackets of its own can be negative without brackets.
    bare = "(" in formula
    numbers = [
        short_text(number, 6) if bare or (at == 0 and step.kind.arity == 2) else _number(number)
        for at, number in enumerate(arguments)
    ]
    return f"{step.name} = {step.formula} = {formula.format(*numbers)} = {short_text(right, 6)}"


def _blamed(step: Step, own: Mapping[str, float], right: Mapping[str, float]) -> str:
    return " and ".join(
        dict.fromkeys(operand for operand in step.operands if not close(own.get(operand, right[operand]), right[operand]))
    )


def _slip(step: Step, words: str) -> str:
    return f"; {words.format(*step.operands, y=step.name)}" if words else ""


def gradient_order(circuit: Circuit) -> list[str]:
    """The nodes whose gradients are asked for, from the output back to the inputs."""
    return [step.name for step in reversed(circuit.steps) if step.name != OUTPUT] + list(circuit.inputs)


def mark_gradients(circuit: Circuit, answers: Answers) -> list[Mark]:
    """Mark the backward pass: the gradient of the output by each node, from the output to the inputs."""
    marks = []
    own: dict[str, float] = {OUTPUT: 1.0}
    for name in gradient_order(circuit):
        answer, right = answers.get(name), circuit.gradients[name]
        paths = [Path(step, at, slopes_of(step.kind, circuit.arguments(step))[at]) for step, at in circuit.uses(name)]
        own[name] = right if answer is None else answer
        wrong = list(
            dict.fromkeys(path.step.name for path in paths if not close(own[path.step.name], circuit.gradients[path.step.name]))
        )
        if answer is None:
            marks.append(Mark(name, "missing", right, _sum_worked(circuit, name, paths, right)))
        elif close(answer, right):
            marks.append(Mark(name, "right", right))
        elif wrong and close(answer, sum(own[path.step.name] * path.slope for path in paths)):
            marks.append(
                Mark(name, "follows", right, f"yours is right with your df/d{' and df/d'.join(wrong)}, so the mistake is there")
            )
        else:
            slips = _gradient_slips(circuit, name, paths, own)
            slip = next((words for value, words in slips if close(answer, value)), "")
            words = _sum_worked(circuit, name, paths, right)
            marks.append(Mark(name, "broken", right, f"{words}; {slip}" if slip else words))
    return marks


class Path(NamedTuple):
    """One way from a node to the output: the gate that uses it, as which operand, and the local derivative there."""

    step: Step
    position: int
    slope: float


def _sum_worked(circuit: Circuit, name: str, paths: Sequence[Path], right: float) -> str:
    """`df/dx = df/dq * (slope of x*y in x, which is y) = -4 * 5 = -20`, for one path or a sum of several."""
    terms, numbers = [], []
    for step, position, slope in paths:
        terms.append(f"df/d{step.name}*{_slope_text(step, position)}")
        numbers.append(f"{_number(circuit.gradients[step.name])}*{_number(slope)}")
    return f"df/d{name} = {' + '.join(terms)} = {' + '.join(numbers)} = {short_text(right, 6)}"


def _slope_text(step: Step, position: int) -> str:
    """The local derivative of a gate in one operand, in brackets where it needs them."""
    text = step.kind.slopes[position].format(*step.operands, y=step.name)
    return text if re.fullmatch(r"\w+(?:\(\w+\))?", text) else f"({text})"


def _number(value: float) -> str:
    text = short_text(value, 6)
    return f"({text})" if value < 0 else text


def _gradient_slips(circuit: Circuit, name: str, paths: Sequence[Path], own: Mapping[str, float]) -> Iterator[tuple[float, str]]:
    """Wrong gradients, from the likeliest slip on, each with the slip in words."""
    above = [own[path.step.name] for path in paths]
    terms = [gradient * path.slope for gradient, path in zip(above, paths)]
    total = sum(terms)
    if len(paths) > 1:
        for path, term in zip(paths, terms):
            yield term, f"only the path through {path.step.name} is counted, and the gradients of all paths add up"
        product = 1.0
        for term in terms:
            product *= term
        yield product, "the paths were multiplied, and they add up"
    yield from _slope_slips(circuit, paths, above, total)
    yield sum(path.slope for path in paths), f"the gradient from above, at {_list([path.step.name for path in paths])}, is left out"
    yield sum(above), "the gradient from above was handed on without the local slope"
    yield -total, "the sign is wrong"
    yield circuit.values[name], f"that is the value of {name}, not the gradient by it"
    for path, term in zip(paths, terms):
        yield total - 2 * term, f"the sign of the path through {path.step.name} is wrong"


def _slope_slips(circuit: Circuit, paths: Sequence[Path], above: Sequence[float], total: float) -> Iterator[tuple[float, str]]:
    """Gradients with one local derivative wrong."""
    for gradient, (step, position, slope) in zip(above, paths):
        slips = step.kind.wrong_slopes[position] if position < len(step.kind.wrong_slopes) else ()
        arguments = circuit.arguments(step)
        for slip in slips:
            wrong = value_of(slip.formula, arguments, circuit.values[step.name])
            words = slip.words.format(*step.operands, y=step.name)
            yield total + gradient * (wrong - slope), f"{step.formula}: {words}"
            yield total - gradient * slope + wrong, f"{step.formula}: {words}; and the gradient from above is left out"


def _list(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return " and ".join(unique)
