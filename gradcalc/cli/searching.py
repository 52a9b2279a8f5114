"""What `optimize` and `train` share: bounds as they are written, the problem of a formula, and how a failed search is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from gradcalc.errors import BindingProblem, GradcalcError, SearchProblem, UsageProblem

if TYPE_CHECKING:
    from gradcalc.formula import Formula
    from gradcalc.language.values import Constant
    from gradcalc.learning.problem import Bound, Problem
    from gradcalc.learning.search import Search

FEW = 6
"""Up to so many inputs are told in a message."""


def bounds_given(written: Sequence[str]) -> dict[str, Bound]:
    """The bounds of a command line, by name.

    Raises:
        GradcalcError: one of them is not NAME=LOW..HIGH.
    """
    from gradcalc.language.values import Range, parse_value
    from gradcalc.learning.problem import Bound

    bounds = {}
    for text in written:
        name, equals, value = (part.strip() for part in text.partition("="))
        name = normalize("NFKC", name)
        given = parse_value(value, f"--bound {name}") if equals and name.isidentifier() and value else None
        if not isinstance(given, Range):
            raise UsageProblem(f"--bound {text} is not NAME=LOW..HIGH", remedy="write --bound w=0..1, or --bound w=0..inf")
        if name in bounds:
            raise UsageProblem(f"--bound {name} is given twice", remedy="keep one of them")
        low, high = (_end(end, name) for end in given)
        if not low < high:
            raise UsageProblem(f"--bound {name}: {low:g} is not below {high:g}", remedy=f"write --bound {name}=LOW..HIGH")
        bounds[name] = Bound(low, high)
    return bounds


def _end(written: Constant, name: str) -> float:
    """An end of a bound, which may be a constant expression, and may be infinite."""
    from gradcalc.workspace import Workspace

    if written.number is not None:
        return written.number
    for answer in Workspace({name: written}).formulas(name):
        if isinstance(answer, GradcalcError):
            raise answer
        if isinstance(answer.values[0], float) and answer.values[0] == answer.values[0]:
            return answer.values[0]
    raise UsageProblem(f"--bound {name}: {written.text} is not a number", remedy=f"write --bound {name}=LOW..HIGH")


def problem_of(
    formula: Formula,
    over: Sequence[str],
    kinds: Mapping[str, str],
    bounds: Mapping[str, Bound],
    uphill: bool,
    slopes: bool,
) -> tuple[Problem, list[str], list[str]]:
    """A formula as a problem, the names of the inputs that are changed, and warnings.

    Raises:
        GradcalcError: the output is an array, an input has no value, a name or a bound does not fit.
    """
    from gradcalc.formula import Interval
    from gradcalc.learning.parameters import bounds_of, chosen_inputs
    from gradcalc.learning.problem import Bound, Problem
    from gradcalc.learning.starts import middle

    numbers, warnings = chosen_inputs(formula.graph, formula.inputs, over, kinds, short(formula.text), slopes)
    names = [formula.inputs[number] for number in numbers]
    limits = dict(bounds)
    for name, value in zip(formula.inputs, formula.values):
        if isinstance(value, Interval):
            if name in limits:
                raise UsageProblem(f"{name} has two bounds", remedy=f"leave out --bound {name}, or write --{name} NUMBER")
            limits[name] = Bound(*value)
    own = dict(zip(formula.inputs, formula.values))
    begins = {name: middle(bound) for name, bound in limits.items() if own.get(name) is None or isinstance(own[name], Interval)}
    try:
        point = formula.point({name: begin for name, begin in begins.items() if begin is not None and name in names})
    except BindingProblem as problem:
        if problem.missing in names:
            problem.remedy += f"\nor a bound, in the middle of which it begins: --bound {problem.missing}=LOW..HIGH"
        raise
    graph, shapes = formula.prepared(point)
    if shapes is not None and shapes[-1]:
        raise array_problem(formula, shapes[-1])
    values = [point[number] for number in numbers]
    return Problem(graph, shapes, point, numbers, uphill, bounds_of(names, values, limits)), names, warnings


def array_problem(formula: Formula, shape: Sequence[int]) -> GradcalcError:
    """That an output is an array, where a number is needed."""
    from gradcalc.gates.reductions import spell_shape

    return SearchProblem(
        f"{short(formula.text)} is an array of shape {spell_shape(tuple(shape))}, and only a number can be optimized",
        place=formula.place(formula.output),
        remedy="make it one: sum(…), mean(…), norm(…)",
    )


def failure(formula: Formula, search: Search) -> GradcalcError:
    """A search that came to no good end, as an error that says where, and what to do."""
    outcome, problem = search.found.outcome, search.found.problem
    what = short(search.output)
    state = last_state(search.names, outcome.good.values, f"after step {outcome.good.step}")
    if outcome.stop.kind == "unbounded":
        extreme = "maximum" if problem.uphill else "minimum"
        way = "rises" if problem.uphill else "falls"
        return SearchProblem(
            f"{what} has no {extreme} here: it {way} without end (to {outcome.end.value:.3g} by step {outcome.end.step})",
            remedy=f"keep its inputs within bounds: --bound {search.names[0]}=LOW..HIGH",
        )
    if outcome.stop.kind == "stationary":
        return stationary(what, problem, search)
    if outcome.stop.kind == "overflow":
        return SearchProblem(
            f"the gradient of {what} is too large for {search.method.name}, which squares it: the squares overflow",
            remedy="divide the formula by a constant, or write --method newton",
        )
    if outcome.stop.kind == "diverging":
        where = "at the start" if not outcome.good.step else f"after step {outcome.good.step}"
        return diverged(what, search.rate, outcome.stop.stable, f"at step {outcome.end.step}", where, state)
    begun = outcome.start.value == outcome.start.value
    when = f"at step {outcome.end.step + 1}" if begun else "at the start"
    return not_finite(formula, problem, outcome.stop.values or [], when, state, not begun)


def stationary(what: str, problem: Problem, search: Search) -> GradcalcError:
    """That a search came to a point where the gradient vanishes, and that is no minimum."""
    extreme, better = ("maximum", "higher") if problem.uphill else ("minimum", "lower")
    outcome = search.found.outcome
    where = "the start is" if not outcome.end.step else "the search ended at"
    name = search.names[0]
    return SearchProblem(
        f"{where} a stationary point, and no {extreme}: the gradient of {what} vanishes there, and right beside it is {better}",
        remedy=f"begin elsewhere: another --{name}, or several starts: --starts 10",
    )


def diverged(what: str, rate: float | None, stable: float | None, when: str, where: str, state: str) -> GradcalcError:
    """That a rate is too large.

    Args:
        what: was to be made small or large.
        rate: the size of the steps.
        stable: the rate below which steps shrink, if it is known.
        when: it was seen.
        where: that rate was measured.
        state: the last good one, in words.
    """
    assert rate is not None
    return SearchProblem(
        f"the rate {rate:g} is too large: {what} gets worse and worse ({when})",
        remedy=f"try {smaller(rate, stable, where)}\n{state}",
    )


def smaller(rate: float, stable: float | None, where: str) -> str:
    """A rate to try instead of one that is too large; see `diverged`."""
    if stable is not None and stable <= rate:
        return f"--rate {stable / 2:.2g}: {where}, rates below {stable:.2g} are stable"
    return f"a smaller one: --rate {rate / 10:.2g}"


def unmoved(search: Search) -> list[str]:
    """A warning if a search gave up short of a minimum, or made all its steps and gained nothing."""
    from gradcalc.learning.surroundings import stable_rate

    outcome, problem = search.found.outcome, search.found.problem
    start, end = outcome.start, outcome.end
    if outcome.stop.short:
        extreme = "maximum" if problem.uphill else "minimum"
        advice = "try another method, or a --bound" if search.rate is None or search.method.rule is None else "try a larger --rate"
        return [f"this is no {extreme} of {short(search.output)}: {outcome.stop.words}\n  {advice}"]
    if outcome.stop.kind != "steps" or not end.step or problem.sign * (end.value - start.value) < 0.0:
        return []
    stable = stable_rate(problem, start.values, search.method)
    advice = "" if search.rate is None else smaller(search.rate, stable, "at the start")
    steps = f"{end.step} step{'' if end.step == 1 else 's'}"
    return [nothing_gained(short(search.output), start.value, end.value, steps, advice)]


def nothing_gained(what: str, start: float, end: float, steps: str, advice: str) -> str:
    """A warning that a search, or a run of training, ended no better than it began.

    Args:
        what: was to be made small or large.
        start: its value in the beginning.
        end: its value at the end.
        steps: how many were made, in words.
        advice: what to try, or nothing.
    """
    change = "is the same as at the start" if start == end else "is worse than at the start"
    return f"nothing was gained in {steps}: {what} {change}" + (f"\n  try {advice}" if advice else "")


def not_finite(
    formula: Formula,
    problem: Problem,
    values: list[Any],
    when: str,
    state: str,
    from_the_start: bool = False,
    whole: str | None = None,
) -> GradcalcError:
    """That a value or a gradient is not finite, at the node where it arose.

    Args:
        formula: what the user wrote.
        problem: that formula, or a loss of it, which has nodes beyond those of the formula.
        values: the parameters at which it happened.
        when: that was.
        state: the last good one, in words.
        from_the_start: whether there was none.
        whole: what the loss is called.
    """
    from gradcalc.learning.trouble import origin

    what = short(whole or formula.text)
    found = origin(problem.graph, problem.point(values), problem.nodes)
    if found is None:
        return SearchProblem(f"{what} or its gradient is not finite {when}", remedy=state)
    label, word = formula.label(found.node) if found.node < len(formula.graph) else what, spelled(found.value)
    if found.slope:
        message = f"the gradient of {what} at {label} is {word} {when}"
    else:
        given = " and ".join(map(spelled, found.inputs))
        several = "its inputs are" if len(found.inputs) > 1 else "its input is"
        message = f"{what} is {word} {when}" if label == whole else f"{what} is not finite {when}: {label} is {word}"
        message += f", {several} {given}" if given else ""
    place = formula.place(found.node) if found.node < len(formula.graph) else None
    advice = "begin elsewhere" if from_the_start else "a smaller --rate or a --bound may keep it away from there"
    return SearchProblem(message, place=place, remedy=f"{advice}\n{state}" if not from_the_start else advice)


def spelled(value: Any) -> str:
    """A value in a message, arrays by their first element that is not finite."""
    import numpy

    from gradcalc.dialects.language import spell_array, spell_number

    if isinstance(value, float):
        return spell_number(value)
    bad = numpy.ravel(value)[~numpy.isfinite(numpy.ravel(value))]
    if len(bad):
        return f"{spell_number(float(bad[0]))} in {len(bad)} of {value.size} elements"
    return spell_array(value, 60)


def last_state(names: Sequence[str], values: Sequence[Any], when: str) -> str:
    """The last state in which all was finite, in words."""
    from gradcalc.dialects.language import spell_array, spell_number

    told = [
        f"{name} = {spell_number(value) if isinstance(value, float) else spell_array(value, 40)}"
        for name, value in list(zip(names, values))[:FEW]
    ]
    return f"the last good state, {when}: {', '.join(told)}{', …' if len(names) > FEW else ''}"


def short(text: str) -> str:
    """A formula in a message."""
    return text if len(text) <= 60 else text[:59] + "…"
