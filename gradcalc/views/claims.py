"""What `check` found, for people and as data: gradients, claims, formulas compared, and the rules of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcalc.views.json import SCHEMA, measured, plain
from gradcalc.views.numbers import array_text, bar_text, number_text, rounded_text, uncertain_text
from gradcalc.views.report import signed, whole_value
from gradcalc.views.surface import Surface
from gradcalc.views.table import Cell, Span, Table, cell, painted, render, wrapped
from gradcalc.views.text import cut, to_ascii, visible

if TYPE_CHECKING:
    from gradcalc.checking.claims import ClaimResult, GradientResult, Seen
    from gradcalc.checking.equality import Equality
    from gradcalc.checking.functions import Point
    from gradcalc.checking.rules import RuleCheck
    from gradcalc.studies.verification import Verification

ROOM = 110
"""How long a line becomes where nothing limits it."""

DIGITS = 10

MOST_INPUTS = 8
"""So many inputs of a point are written out."""


def verification_text(found: Verification, surface: Surface, digits: int | None = None) -> str:
    """All that was found about one output."""
    text = _lines(_heading(found, surface), surface)
    if found.gradients and not found.claims:
        text += "\n" + _gradient_table(found.gradients, surface, digits or DIGITS)
    doubtful = [result for result in found.gradients if result.verdict not in ("ok", "off")]
    blocks = [list(_about_claim(result, surface)) for result in found.claims]
    blocks += [[line for result in doubtful for line in _about_gradient(result, surface)]]
    if found.equality is not None:
        blocks.append(list(_about_equality(found, found.equality, surface)))
    for block in blocks:
        if block:
            text += "\n" + _lines(block, surface)
    if found.claims and found.gradients:
        text += "\n" + _lines(_wrapped((Span(_numerics_words(found), "quiet"),), surface), surface)
    remarks = [line for remark in found.remarks for line in _wrapped((Span(remark, "quiet"),), surface)]
    return text + ("\n" + _lines(remarks, surface) if remarks else "")


def _lines(lines: Iterable[Cell], surface: Surface) -> str:
    if not surface.unicode:
        lines = [tuple(Span(to_ascii(span.text), span.style) for span in line) for line in lines]
    return painted(lines, surface)


def _wrapped(spans: Cell, surface: Surface, indent: int = 2) -> Iterator[Cell]:
    return wrapped(spans, surface.width if surface.terminal else ROOM, indent)


def _heading(found: Verification, surface: Surface) -> Iterator[Cell]:
    output = cut(visible(found.formula.text), 2 * ROOM)
    value = () if found.value is None else (Span(" = "), Span(whole_value(found.value, surface), "value"))
    yield from _wrapped((Span(output, "strong"), *value), surface)
    verdict = found.verdict
    yield from _wrapped((Span(signed(verdict, surface), verdict), Span(f": {_verdict_words(found)}")), surface)


def _verdict_words(found: Verification) -> str:
    """What the verdict is about."""
    wrong = [result for result in found.claims if result.verdict == "mismatch"]
    disagreeing = [result for result in found.gradients if result.verdict == found.verdict]
    if found.equality is not None and found.equality.verdict == found.verdict:
        return {
            "ok": f"the same function as {visible(found.other)}",
            "unsure": f"no point tells whether it is the same function as {visible(found.other)}",
            "mismatch": f"not the same function as {visible(found.other)}",
        }[found.verdict]
    if wrong:
        names = _listed([_derivative_name(result.claim.names) for result in wrong])
        right = len(found.claims) - len(wrong)
        others = f"; the other{'s are' if right > 1 else ' is'} right" if right else ""
        return f"the claim{'s' if len(wrong) > 1 else ''} for {names} {'are' if len(wrong) > 1 else 'is'} wrong{others}"
    if found.verdict in ("ok", "kink", "edge") and found.claims:
        count = len(found.claims)
        words = "the claim is" if count == 1 else "both claims are" if count == 2 else f"all {count} claims are"
        what = {"ok": " right", "kink": " lawful: at the given point there is a kink"}
        return words + what.get(found.verdict, " lawful: at the given point there is an edge")
    doubtful = [result for result in found.claims if result.verdict == found.verdict]
    if doubtful:
        return f"no point tells whether the claim for {_listed([_derivative_name(r.claim.names) for r in doubtful])} is right"
    names = _listed([_derivative_name(result.names) for result in disagreeing])
    where = _where_words(found)
    return {
        "ok": f"backpropagation and numerical derivatives agree {where}",
        "kink": f"at the given point {names} follow{'s' if len(disagreeing) == 1 else ''} a convention",
        "edge": f"at the given point the function has an edge: {names}",
        "unsure": f"the numerical derivatives are too uncertain to judge {names}",
        "mismatch": f"backpropagation and numerical derivatives disagree in {names}",
        "off": "there is no gradient to check",
    }[found.verdict]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _derivative_name(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"∂/∂{visible(names[0])}"
    if len(names) == 2:
        return f"∂²/∂{visible(names[0])}²" if names[0] == names[1] else f"∂²/∂{visible(names[0])}∂{visible(names[1])}"
    return f"∂^{len(names)}/" + "".join(f"∂{visible(name)}" for name in names)


def _where_words(found: Verification) -> str:
    points = f"{found.compared} random point{'s' if found.compared != 1 else ''}"
    if not found.told_at_point:
        return f"at {points}"
    return f"at the given point and at {points}" if found.compared else "at the given point"


def _numerics_words(found: Verification) -> str:
    if all(result.verdict in ("ok", "kink", "edge", "off") for result in found.gradients):
        return f"Backpropagation agrees with numerical derivatives {_where_words(found)}."
    return "Backpropagation and numerical derivatives do not agree everywhere; see above."


# ---- gradients -------------------------------------------------------------------------------------------------------------------


def _gradient_table(results: Sequence[GradientResult], surface: Surface, digits: int) -> str:
    for room in (digits, 7, 5):
        table = _gradients(results, surface, room)
        if not surface.terminal or table.width() <= surface.width:
            break
    if not surface.unicode:
        table.make_ascii()
    return render(table, surface)


def _gradients(results: Sequence[GradientResult], surface: Surface, digits: int) -> Table:
    table = Table()
    table.add("by", [cell(", ".join(map(visible, result.names)), "name") for result in results])
    if any(result.given is not None for result in results):
        table.add("gradient", [cell(_value(result.gradient, digits), "gradient") for result in results])
        table.add("numerical", [_numerical(result, digits) for result in results])
        table.add("given point", [_verdict(result.given.verdict, surface) if result.given else cell("") for result in results])
    if any(result.counts for result in results):
        table.add("random points", [_counts(result.counts, surface) for result in results])
    return table


def _value(value: Any, digits: int) -> str:
    if value is None:
        return ""
    return rounded_text(value, digits) if isinstance(value, float) else array_text(value, min(digits, 6), 30)


def _numerical(result: GradientResult, digits: int) -> Cell:
    check = result.given
    if check is None:
        return cell("")
    if isinstance(check.numerical, float):
        if check.slopes is not None and check.slopes[0] != check.slopes[1]:
            left, right = ("none" if slope != slope else rounded_text(slope, 6) for slope in check.slopes)
            return cell(f"{left} left, {right} right")
        if check.numerical != check.numerical:
            return cell("none")
        return Span(uncertain_text(check.numerical, check.bar, digits)), Span(f" ±{bar_text(check.bar)}", "quiet")
    seen = check.bar == check.bar
    bars = check.bar[seen]
    words = "" if seen.all() else f"{int(seen.sum())} of {seen.size} elements "
    return Span(words), Span(f"±{bar_text(float(bars.max(initial=0.0)))}", "quiet")


def _verdict(verdict: str, surface: Surface) -> Cell:
    return (Span(signed(verdict, surface), verdict),)


def _counts(counts: Counter[str], surface: Surface) -> Cell:
    spans: list[Span] = []
    for verdict in ("mismatch", "ok", "kink", "edge", "unsure", "off"):
        if counts[verdict]:
            spans.append(Span(f"{', ' if spans else ''}{counts[verdict]}"))
            spans.append(Span(f" {verdict}", verdict))  # the blank here: a narrow table strips what stands behind a number
    return tuple(spans)


def _about_gradient(result: GradientResult, surface: Surface) -> Iterator[Cell]:
    """Where a gradient and its numerical derivative disagree, or why nobody can tell."""
    if result.given is not None and result.given.note:
        yield from _wrapped((Span(_derivative_name(result.names), "name"), Span(f": {visible(result.given.note)}")), surface)
    if result.worst_point is not None and result.worst_point[2].verdict in ("mismatch", "unsure"):
        point, gradient, check = result.worst_point
        numbers = isinstance(gradient, float) and isinstance(check.numerical, float)
        values = (
            f" the gradient is {rounded_text(gradient, DIGITS)}, numerically {_uncertain(check.numerical, check.bar)}"
            if numbers
            else ""
        )
        note = f" ({visible(check.note)})" if check.note else ""
        yield from _wrapped(
            (Span(_derivative_name(result.names), "name"), Span(f" is {check.verdict} at {point_text(point)}:{values}{note}")),
            surface,
        )


def _uncertain(value: float, bar: float) -> str:
    return f"{uncertain_text(value, bar, DIGITS)} ±{bar_text(bar)}"


def point_text(point: Point) -> str:
    """`x = 3, y = 2`."""
    pieces = [f"{visible(name)} = {_short(value)}" for name, value in list(point.items())[:MOST_INPUTS]]
    return ", ".join(pieces) + (f" and {len(point) - MOST_INPUTS} more" if len(point) > MOST_INPUTS else "")


def _short(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else array_text(value, 4, 40)


# ---- claims ----------------------------------------------------------------------------------------------------------------------


def _about_claim(result: ClaimResult, surface: Surface) -> Iterator[Cell]:
    claim = result.claim
    head = (
        Span(signed(result.verdict, surface), result.verdict),
        Span("  "),
        Span(f"{_derivative_name(claim.names)} = {cut(visible(claim.text), ROOM)}", "name"),
        Span("  "),
        Span(_claim_words(result)),
    )
    yield from _wrapped(head, surface, 4)
    example = result.example
    if result.verdict == "mismatch" and example is not None:
        yield from _wrapped((Span("  "), *_off_by(example, "the claim", "the derivative")), surface, 4)
    if result.verdict == "mismatch" and result.derivative:
        yield from _wrapped((Span("  the derivative is "), Span(visible(result.derivative), "strong")), surface, 4)
    for hint in result.hints[:2]:
        yield from _wrapped((Span("  hint: ", "strong"), Span(visible(hint))), surface, 4)
    if result.note:
        yield from _wrapped((Span(f"  {result.note}", "quiet"),), surface, 4)


def _claim_words(result: ClaimResult) -> str:
    counts = result.counts
    compared = counts["ok"] + counts["mismatch"]
    given = result.given.difference.verdict if result.given is not None else ""
    if result.verdict == "mismatch":
        places = (["at the given point"] if given == "mismatch" else []) + (
            [f"at {counts['mismatch']} of {compared} random points"] if counts["mismatch"] else []
        )
        return f"is off {' and '.join(places)}"
    if result.verdict == "unsure":
        return "can't be judged: rounding, or values beyond the range of floats, hide the difference"
    if result.verdict in ("kink", "edge"):
        between = (
            "a slope between those of the two sides" if result.verdict == "kink" else "the slope of the one side that there is"
        )
        return f"is {between}" if not counts["ok"] else f"is {between}, and agrees at {counts['ok']} random points"
    at = (["the given point"] if given == "ok" else []) + ([f"{counts['ok']} random points"] if counts["ok"] else [])
    same = "is the derivative, as a formula" + ("; it agrees" if at else "") if result.same else "agrees"
    return same + (f" at {' and at '.join(at)}" if at else "")


def _off_by(seen: Seen, claimed: str, true: str) -> Cell:
    """Where two values part, and by how much."""
    difference = seen.difference
    element = f" (element [{', '.join(map(str, difference.element))}])" if difference.element is not None else ""
    if difference.claimed != difference.claimed:
        told = f"{claimed} has no value"
        rest = f", {true} is {rounded_text(difference.true, DIGITS)}"
    else:
        told = f"{claimed} is {rounded_text(difference.claimed, DIGITS)}"
        rest = f", {true} {rounded_text(difference.true, DIGITS)}: off by {rounded_text(difference.by, 4)}"
        rest += f", and rounding explains {bar_text(difference.bar)}" if difference.by < 1e-3 * abs(difference.true) else ""
    return Span(f"at {point_text(seen.point)}{element} "), Span(told), Span(rest)


# ---- equality --------------------------------------------------------------------------------------------------------------------


def _about_equality(found: Verification, equality: Equality, surface: Surface) -> Iterator[Cell]:
    first, second = cut(visible(found.formula.text), 40), cut(visible(found.other), 40)
    counts = Counter(seen.difference.verdict for seen in equality.seen)
    if equality.parted is not None:
        seen = equality.parted
        yield from _wrapped(
            (
                Span("  they part at "),
                Span(point_text(seen.point), "strong"),
                Span(f": {first} is {rounded_text(seen.difference.true, DIGITS)}, {second} is "),
                Span(f"{rounded_text(seen.difference.claimed, DIGITS)}, a difference of {rounded_text(seen.difference.by, 4)}"),
            ),
            surface,
            4,
        )
        if counts["mismatch"]:
            yield from _wrapped(
                (Span(f"  they differ at {counts['mismatch']} of {counts['mismatch'] + counts['ok']} points"),), surface, 4
            )
    for seen_at, with_value, without in ((equality.only_first, first, second), (equality.only_second, second, first)):
        if seen_at is not None:
            value = seen_at.difference.true if with_value is first else seen_at.difference.claimed
            yield from _wrapped(
                (
                    Span("  their domains differ: at "),
                    Span(point_text(seen_at.point), "strong"),
                    Span(f" {with_value} is {rounded_text(value, DIGITS)}, and {without} has no value"),
                ),
                surface,
                4,
            )
    if equality.verdict == "mismatch" and equality.parted is None and counts["ok"]:
        yield from _wrapped((Span(f"  where both have a value they agree ({counts['ok']} points)"),), surface, 4)
    if equality.verdict == "ok":
        words = "they are one formula once simplified" if equality.same else f"they agree within rounding at {counts['ok']} points"
        yield from _wrapped((Span(f"  {words}"),), surface, 4)
    if equality.holes and equality.verdict != "mismatch":
        seen = equality.holes[0]
        hole, whole = (second, first) if seen.true.kind == "simple" else (first, second)
        yield from _wrapped(
            (Span(f"  except at {point_text(seen.point)}: there {hole} has no finite value, and {whole} has one"),), surface, 4
        )


# ---- the catalogue ---------------------------------------------------------------------------------------------------------------


def rules_text(checks: Sequence[RuleCheck], surface: Surface, every_row: bool) -> str:
    """One line for each family, and one for each gate that failed; with `every_row` one for each gate."""
    failed = [check for check in checks if check.verdict not in ("ok", "off")]
    lines: list[Cell] = list(_rules_heading(checks, failed, surface))
    lines.append(cell(""))
    if every_row:
        return _lines(lines, surface) + _rules_table(checks, surface)
    families: dict[str, list[RuleCheck]] = {}
    for check in checks:
        families.setdefault(check.gate.family, []).append(check)
    room = max(map(len, families), default=0)
    for family, members in families.items():
        lines.append((Span(f"  {family:<{room}}  ", "name"), *_family_words(members, surface)))
    text = _lines(lines, surface)
    return text + ("\n" + _rules_table(failed, surface) if failed else "")


def _rules_heading(checks: Sequence[RuleCheck], failed: Sequence[RuleCheck], surface: Surface) -> Iterator[Cell]:
    verdict = "mismatch" if any(check.verdict == "mismatch" for check in failed) else "unsure" if failed else "ok"
    tried = [check for check in checks if check.verdict != "off"]
    derivatives = sum(check.derivatives for check in tried)
    words = {
        "ok": f"the rules of {len(tried)} gates agree with numerical derivatives, {derivatives} in all",
        "unsure": f"of {len(tried)} gates, {len(failed)} could not be judged",
        "mismatch": f"of {len(tried)} gates, {len(failed)} disagree with their numerical derivatives",
    }[verdict]
    yield from _wrapped((Span(signed(verdict, surface), verdict), Span(f": {words}")), surface)


def _family_words(members: Sequence[RuleCheck], surface: Surface) -> Cell:
    tried = [check for check in members if check.verdict != "off"]
    bad = [check for check in tried if check.verdict != "ok"]
    digits = min((check.digits for check in tried if check.digits is not None), default=None)
    spans = []
    if tried:
        worst = "ok" if not bad else bad[0].verdict
        precise = f", to {digits} digits or more" if digits is not None else ""
        spans.append(Span(signed(worst, surface), worst))
        spans.append(Span(f"  {len(tried) - len(bad)} of {len(tried)} gates{precise}"))
    idle = len(members) - len(tried)
    if idle:
        spans.append(Span(f"{'; ' if tried else ''}{idle} without gradient", "quiet"))
    return tuple(spans)


def _rules_table(checks: Sequence[RuleCheck], surface: Surface) -> str:
    table = Table()
    table.add("gate", [cell(check.gate.name, "name") for check in checks])
    table.add("inputs", [cell(_arity(check)) for check in checks])
    table.add(
        "verdict",
        [_verdict(check.verdict, surface) if check.verdict != "off" else cell("no gradient", "quiet") for check in checks],
    )
    table.add("derivatives", [cell(str(check.derivatives) if check.derivatives else "") for check in checks], right=True)
    table.add("digits", [cell("" if check.digits is None else str(check.digits)) for check in checks], right=True)
    if any(check.failure for check in checks):
        table.add("where", [cell(check.failure) for check in checks])
    if not surface.unicode:
        table.make_ascii()
    return render(table, surface)


def _arity(check: RuleCheck) -> str:
    least, most = check.gate.arity
    return str(least) if most == least else f"{least} or more" if most is None else f"{least} to {most}"


# ---- data ------------------------------------------------------------------------------------------------------------------------


def verification_document(found: Verification) -> dict[str, Any]:
    """All that was found about one output, as plain data."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "output": found.formula.text,
        "value": plain(found.value),
        "point": None if found.point is None else _point(found.point),
        "random_points": found.drawn,
        "verdict": found.verdict,
        "gradients": [_gradient_document(result) for result in found.gradients],
        "claims": [_claim_document(result) for result in found.claims],
    }
    if found.equality is not None:
        document["equals"] = _equality_document(found.other, found.equality)
    if found.remarks:
        document["remarks"] = found.remarks
    document["warnings"] = found.formula.warnings
    return document


def _point(point: Point) -> dict[str, Any]:
    return {name: plain(value) for name, value in point.items()}


def _gradient_document(result: GradientResult) -> dict[str, Any]:
    document: dict[str, Any] = {"by": list(result.names), "verdict": result.verdict, "random_points": dict(result.counts)}
    if result.given is not None:
        document |= {
            "gradient": plain(result.gradient),
            "numerical": measured(result.given.numerical),
            "error_bar": measured(result.given.bar),
            "given_point": result.given.verdict,
        }
    if result.worst_point is not None:
        point, gradient, check = result.worst_point
        document["worst"] = {
            "point": _point(point),
            "gradient": plain(gradient),
            "numerical": measured(check.numerical),
            "error_bar": measured(check.bar),
            "verdict": check.verdict,
        }
    return document


def _claim_document(result: ClaimResult) -> dict[str, Any]:
    return {
        "by": list(result.claim.names),
        "claim": result.claim.text,
        "verdict": result.verdict,
        "same_formula": result.same,
        "derivative": result.derivative or None,
        "given_point": None if result.given is None else _seen_document(result.given),
        "random_points": dict(result.counts),
        "example": None if result.example is None else _seen_document(result.example),
        "hints": result.hints,
    }


def _seen_document(seen: Seen) -> dict[str, Any]:
    difference = seen.difference
    document: dict[str, Any] = {
        "point": _point(seen.point),
        "claimed": difference.claimed,
        "derivative": difference.true,
        "difference": difference.by,
        "error_bar": difference.bar,
        "verdict": difference.verdict,
    }
    if difference.element is not None:
        document["element"] = list(difference.element)
    return document


def _equality_document(other: str, equality: Equality) -> dict[str, Any]:
    def at(seen: Seen | None) -> Mapping[str, Any] | None:
        if seen is None:
            return None
        return {"point": _point(seen.point), "first": seen.difference.true, "second": seen.difference.claimed}

    return {
        "other": other,
        "verdict": equality.verdict,
        "same_formula": equality.same,
        "parted": at(equality.parted),
        "only_first_has_a_value": at(equality.only_first),
        "only_second_has_a_value": at(equality.only_second),
        "holes": [at(seen) for seen in equality.holes],
        "points": dict(Counter(seen.difference.verdict for seen in equality.seen)),
    }


def rule_document(check: RuleCheck) -> dict[str, Any]:
    """What came out for one gate of the catalogue, as plain data."""
    return {
        "schema": SCHEMA,
        "gate": check.gate.name,
        "inputs": check.gate.arity[0],
        "verdict": check.verdict,
        "derivatives": check.derivatives,
        "digits": check.digits,
        "failure": check.failure,
    }
