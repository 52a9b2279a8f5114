"""Which inputs of a formula are changed, and between which bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gradcalc.errors import NameProblem, UsageProblem
from gradcalc.graph import Graph
from gradcalc.language.nearest import nearest
from gradcalc.learning.problem import Bound, flows

INPUT_KINDS = ("input", "default")


def chosen_inputs(
    graph: Graph, inputs: Sequence[str], over: Sequence[str], kinds: Mapping[str, str], output: str, slopes: bool = True
) -> tuple[list[int], list[str]]:
    """The inputs that are to be changed, by number, and warnings about those that were asked for in vain.

    Args:
        graph: of the output.
        inputs: the names of its inputs, by number.
        over: the names that were asked for; empty for all that the output depends on.
        kinds: what each name of the program is: `input`, `default`, `node`, `constant` or `gate`.
        output: what the output is called in messages.
        slopes: whether a derivative must flow from an input; else it is enough that the output depends on it.

    Raises:
        NameProblem: a name is not one of an input.
        UsageProblem: nothing is left to change.
    """
    flowing = flows(graph, slopes)
    known = [name for name, kind in kinds.items() if kind in INPUT_KINDS]
    for name in over:
        _refuse_stranger(name, kinds, known)
    warnings = []
    numbers = []
    for name in dict.fromkeys(over or inputs):
        number = inputs.index(name) if name in inputs else None
        if number is not None and number in flowing:
            numbers.append(number)
        elif over:
            how = "does not depend on" if number is None or not slopes else "has no derivative by"
            warnings.append(f"{output} {how} {name}: it stays as it is")
    if not numbers:
        reached = {inputs[number] for number in flows(graph, slopes=False) if number < len(inputs)}
        raise _nothing_left(output, over, slopes and bool(reached.intersection(over or inputs)))
    return numbers, warnings


def _nothing_left(output: str, over: Sequence[str], jumps: bool) -> UsageProblem:
    """That no input is left to change; `jumps` is whether the output depends on some, but has no derivative by them."""
    if jumps:
        return UsageProblem(
            f"{output} has no derivative by {' or '.join(over) or 'any input'} that is not 0 everywhere",
            remedy="it changes in jumps only: --method random needs no derivative",
        )
    if over:
        return UsageProblem(
            f"{output} does not depend on {' or '.join(over)}", remedy="name inputs after --over that it is made of"
        )
    return UsageProblem(f"{output} depends on no input", remedy="write a formula with inputs: x^2 --x 3")


def _refuse_stranger(name: str, kinds: Mapping[str, str], known: Collection[str]) -> None:
    """An error about a name that is not one of an input."""
    if name not in kinds:
        near = nearest(name, known)
        remedy = f"did you mean {near}?" if near else f"the inputs are {', '.join(known)}" if known else ""
        raise NameProblem(f"--over {name}: the program has no input {name}", remedy=remedy)
    if kinds[name] not in INPUT_KINDS:
        raise NameProblem(
            f"--over {name}: {name} is computed by the program",
            remedy="name an input; a name is one if the right side of its line uses no other input",
        )


def bounds_of(names: Sequence[str], values: Sequence[Any], bounds: Mapping[str, Bound]) -> list[Bound | None]:
    """The bound of each input that is changed.

    Raises:
        UsageProblem: a bound is for an input that is not changed, or excludes where it starts.
    """
    for name in bounds:
        if name not in names:
            near = nearest(name, names)
            remedy = f"did you mean {near}?" if near else f"the inputs that are changed are {', '.join(names)}"
            raise UsageProblem(f"--bound {name}: {name} is not changed", remedy=remedy)
    for name, value in zip(names, values):
        bound = bounds.get(name)
        if bound is not None:
            outside = _outside(value, bound)
            if outside is not None:
                raise UsageProblem(
                    f"{name} starts at {outside:.12g}, outside its bound {bound.low:g}..{bound.high:g}",
                    remedy=f"start inside, or write a wider --bound {name}=LOW..HIGH",
                )
    return [bounds.get(name) for name in names]


def _outside(value: Any, bound: Bound) -> float | None:
    """The first element that a bound excludes."""
    for element in [value] if isinstance(value, float) else value.ravel().tolist():
        if not bound.low <= element <= bound.high:
            return float(element)
    return None
