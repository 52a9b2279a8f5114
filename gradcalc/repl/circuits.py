"""Random circuits for exercises: gates on named nodes, with the right numbers and the usual wrong ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import isfinite
from random import Random
from typing import NamedTuple

from gradcalc.programs import Calculation
from gradcalc.workspace import Options, Result

LEVELS = (1, 2, 3, 4, 5)
OUTPUT = "f"
"""The name of the last step."""


class Slope(NamedTuple):
    """A wrong local derivative, as a formula of the operands {0}, {1} and the result {y}, and how it comes about."""

    formula: str
    words: str


class Kind(NamedTuple):
    """A gate of an exercise.

    Attributes:
        formula: the gate on its operands.
        slopes: by operand, its right local derivative, for people; {y} is the result.
        wrong_values: formulas of values that a slip gives, each with the slip.
        wrong_slopes: by operand, local derivatives that a slip gives.
    """

    formula: str
    slopes: tuple[str, ...]
    wrong_values: tuple[Slope, ...] = ()
    wrong_slopes: tuple[tuple[Slope, ...], ...] = ()

    @property
    def arity(self) -> int:
        """The number of operands."""
        return len(self.slopes)


_OWN = (
    (Slope("{0}", "that is its own value, and the slope of a product is the other factor"),),
    (Slope("{1}", "that is its own value, and the slope of a product is the other factor"),),
)
ADD = Kind("{0} + {1}", ("1", "1"), (Slope("{0}*{1}", "the two were multiplied"), Slope("{0} - {1}", "that is the difference")))
SUBTRACT = Kind(
    "{0} - {1}",
    ("1", "-1"),
    (Slope("{1} - {0}", "the operands are swapped"), Slope("{0} + {1}", "the two were added")),
    ((), (Slope("1", "the second operand of a difference has the slope -1"),)),
)
MULTIPLY = Kind(
    "{0}*{1}",
    ("{1}", "{0}"),
    (Slope("{0} + {1}", "the two were added"), Slope("-{0}*{1}", "the sign is wrong")),
    _OWN,
)
DIVIDE = Kind(
    "{0}/{1}",
    ("1/{1}", "-{0}/{1}^2"),
    (Slope("{1}/{0}", "the operands are swapped"), Slope("{0}*{1}", "the two were multiplied")),
    (
        (Slope("{1}", "the slope of a quotient in its numerator is one over the denominator"),),
        (
            Slope("{0}/{1}^2", "the sign is missing: a quotient falls as its denominator grows"),
            Slope("-{0}/{1}", "the denominator is not squared"),
            Slope("-1/{1}^2", "the numerator is missing"),
            Slope("1/{1}", "that is the slope in the numerator"),
        ),
    ),
)
MAXIMUM = Kind(
    "max({0}, {1})",
    ("1 if {0} is the larger, else 0", "1 if {1} is the larger, else 0"),
    (Slope("min({0}, {1})", "that is the smaller one"), Slope("{0} + {1}", "the two were added")),
    (
        (
            Slope("{0} < {1}", "the gradient flows to the larger operand only"),
            Slope("1", "the gradient flows to the larger one only"),
        ),
        (
            Slope("{1} < {0}", "the gradient flows to the larger operand only"),
            Slope("1", "the gradient flows to the larger one only"),
        ),
    ),
)
SQUARE = Kind(
    "{0}^2",
    ("2*{0}",),
    (Slope("2*{0}", "that is twice the number, not its square"), Slope("-({0}^2)", "a square is not negative")),
    (
        (
            Slope("{0}", "the factor 2 is missing"),
            Slope("{0}^2", "that is the square itself"),
            Slope("2", "the factor {0} is missing"),
        ),
    ),
)
CUBE = Kind(
    "{0}^3",
    ("3*{0}^2",),
    (Slope("3*{0}", "that is three times the number"), Slope("{0}^2", "that is the square")),
    (
        (
            Slope("{0}^2", "the factor 3 is missing"),
            Slope("3*{0}", "the exponent falls by one only, to 2"),
            Slope("3*{0}^3", "the exponent falls by one"),
        ),
    ),
)
RECIPROCAL = Kind(
    "1/{0}",
    ("-1/{0}^2",),
    (Slope("-1/{0}", "the sign is wrong"), Slope("{0}", "that is the number itself")),
    ((Slope("1/{0}^2", "the sign is missing"), Slope("-1/{0}", "the number is not squared"), Slope("1/{0}", "that is the value")),),
)
NEGATIVE = Kind("-{0}", ("-1",), (Slope("{0}", "the sign was not changed"),), ((Slope("1", "the slope of -{0} is -1"),),))
DOUBLE = Kind(
    "2*{0}",
    ("2",),
    (Slope("{0}^2", "that is the square"),),
    ((Slope("1", "the factor 2 is missing"), Slope("2*{0}", "that is the value")),),
)
RELU = Kind(
    "relu({0})",
    ("1 if {0} > 0, else 0",),
    (Slope("{0}", "relu makes 0 of a negative number"), Slope("abs({0})", "relu makes 0 of a negative number")),
    (
        (
            Slope("1", "nothing flows back through relu where its input is negative"),
            Slope("0", "relu hands the gradient on where its input is positive"),
        ),
    ),
)
EXPONENTIAL = Kind(
    "exp({0})",
    ("exp({0})",),
    (Slope("exp(-{0})", "the sign of the exponent is wrong"), Slope("e*{0}", "that is e times the number")),
    ((Slope("{0}*exp({0} - 1)", "the rule for powers does not hold for exp"), Slope("1", "the slope of exp is exp itself")),),
)
LOGARITHM = Kind(
    "log({0})",
    ("1/{0}",),
    (Slope("log10({0})", "that is the logarithm to the base 10"), Slope("-log({0})", "the sign is wrong")),
    (
        (
            Slope("log({0})", "that is the value"),
            Slope("{0}", "it is one over the number"),
            Slope("1/(log(10)*{0})", "that is for the base 10"),
        ),
    ),
)
ROOT = Kind(
    "sqrt({0})",
    ("1/(2*sqrt({0}))",),
    (Slope("{0}^2", "that is the square"), Slope("{0}/2", "that is the half")),
    ((Slope("1/sqrt({0})", "the factor 1/2 is missing"), Slope("sqrt({0})/2", "the root is in the denominator")),),
)
SIGMOID = Kind(
    "sigmoid({0})",
    ("{y}*(1 - {y})",),
    (Slope("sigmoid(-{0})", "the sign of the exponent is wrong: sigmoid is 1/(1 + exp(-{0}))"), Slope("tanh({0})", "that is tanh")),
    (
        (
            Slope("{y}", "the factor 1 - {y} is missing"),
            Slope("1 - {y}", "the factor {y} is missing"),
            Slope("{0}*(1 - {0})", "the slope is made of {y}, the value, not of {0}"),
        ),
    ),
)
TANH = Kind(
    "tanh({0})",
    ("1 - {y}^2",),
    (Slope("sigmoid({0})", "that is sigmoid"), Slope("-tanh({0})", "the sign is wrong")),
    (
        (
            Slope("1 - {y}", "{y} is not squared"),
            Slope("{y}*(1 - {y})", "that is the slope of sigmoid"),
            Slope("1 - {0}^2", "the slope is made of {y}, the value, not of {0}"),
        ),
    ),
)
SINE = Kind(
    "sin({0})",
    ("cos({0})",),
    (Slope("sin(pi*{0}/180)", "the number is in radians, not in degrees"), Slope("cos({0})", "that is the cosine")),
    (
        (
            Slope("sin({0})", "that is the value"),
            Slope("-cos({0})", "the sign is wrong"),
            Slope("cos(pi*{0}/180)", "the number is in radians"),
        ),
    ),
)

POOLS: Mapping[int, tuple[Sequence[Kind], Sequence[Kind]]] = {
    1: ((ADD, MULTIPLY, SUBTRACT), ()),
    2: ((ADD, MULTIPLY, MULTIPLY, SUBTRACT, MAXIMUM), (NEGATIVE, DOUBLE)),
    3: ((ADD, MULTIPLY, MULTIPLY, SUBTRACT, MAXIMUM, DIVIDE), (SQUARE, RECIPROCAL, RELU, DOUBLE)),
    4: ((ADD, MULTIPLY, SUBTRACT, DIVIDE), (EXPONENTIAL, LOGARITHM, ROOT, SIGMOID, TANH, SQUARE)),
    5: ((ADD, MULTIPLY, MULTIPLY, DIVIDE, MAXIMUM), (EXPONENTIAL, LOGARITHM, SIGMOID, TANH, SINE, CUBE, RELU, ROOT)),
}
"""For each level the gates of two operands and of one."""
INPUTS = {1: 2, 2: 3, 3: 2, 4: 2, 5: 3}
STEPS = {1: 1, 2: 2, 3: 3, 4: 3, 5: 5}
"""For each level how many inputs and, at least, how many gates."""
SHARED = frozenset({3, 5})
"""The levels at which some node is used more than once, so that gradients add up."""
NAMES = "xyzw"
STEP_NAMES = "pqrstuv"
LARGEST = {1: 100, 2: 100, 3: 100, 4: 30, 5: 30}
"""For each level how large a number may become, up or down."""


class Step(NamedTuple):
    """One gate of a circuit: `q = x + y`."""

    name: str
    kind: Kind
    operands: tuple[str, ...]

    @property
    def formula(self) -> str:
        """Its right side."""
        return self.kind.formula.format(*self.operands)


class Circuit(NamedTuple):
    """An exercise with its solution.

    Attributes:
        inputs: the inputs with their values.
        steps: the gates, in order; the last is the output.
        values: of every name.
        gradients: of the output by every name.
    """

    inputs: Mapping[str, float]
    steps: tuple[Step, ...]
    values: Mapping[str, float]
    gradients: Mapping[str, float]

    @property
    def program(self) -> str:
        """The circuit in the language, without values."""
        return "; ".join(f"{step.name} = {step.formula}" for step in self.steps)

    def uses(self, name: str) -> list[tuple[Step, int]]:
        """The gates that a name is an operand of, each with the operand's position."""
        return [(step, at) for step in self.steps for at, operand in enumerate(step.operands) if operand == name]

    def arguments(self, step: Step) -> list[float]:
        """The right values of a gate's operands."""
        return [self.values[operand] for operand in step.operands]


def random_circuit(level: int, random: Random) -> Circuit:
    """A circuit of a level, with numbers that a person can work with."""
    while True:
        inputs = {name: _number(level, random) for name in NAMES[: INPUTS[level]]}
        steps = _random_steps(level, list(inputs), random)
        circuit = _solved(inputs, steps)
        if circuit is None or not _is_fair(circuit, LARGEST[level]):
            continue
        if level not in SHARED or any(len(circuit.uses(name)) > 1 for name in circuit.values):
            return circuit


def _all(inputs: Mapping[str, float], steps: Sequence[Step]) -> list[str]:
    return [*inputs, *(step.name for step in steps)]


def _number(level: int, random: Random) -> float:
    if level <= 3:
        return float(random.choice([number for number in range(-5, 6) if number]))
    return random.choice((-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0))


def _random_steps(level: int, inputs: Sequence[str], random: Random) -> tuple[Step, ...]:
    """Gates that use every node; the gates of one operand are strewn among those of two."""
    two, one = POOLS[level]
    waiting = list(inputs)
    every = list(inputs)
    chosen: list[tuple[Kind, tuple[str, ...]]] = []
    names = list(STEP_NAMES)
    while len(waiting) > 1 or len(chosen) < STEPS[level]:
        room = STEPS[level] - len(chosen) > len(waiting) - 1
        if one and room and random.random() < 0.6:
            kind = random.choice(one)
            operands = [waiting.pop(random.randrange(len(waiting)))]
        else:
            kind = random.choice(two)
            operands = [waiting.pop(random.randrange(len(waiting)))]
            others = [name for name in every if name != operands[0]]
            again = not waiting or (level in SHARED and room and random.random() < 0.4)
            operands.append(random.choice(others if again else waiting))
            if operands[1] in waiting:
                waiting.remove(operands[1])
            random.shuffle(operands)
        name = names[len(chosen)]
        chosen.append((kind, tuple(operands)))
        waiting.append(name)
        every.append(name)
        if len(chosen) == len(names):
            break
    last = names[len(chosen) - 1]
    return tuple(Step(OUTPUT if name == last else name, kind, operands) for name, (kind, operands) in zip(names, chosen))


def _solved(inputs: Mapping[str, float], steps: tuple[Step, ...]) -> Circuit | None:
    """The circuit with its values and gradients, or None where some are not finite."""
    result = _evaluated("; ".join(f"{step.name} = {step.formula}" for step in steps), inputs)
    named = {node.name: node for node in result.nodes if node.named}
    names = _all(inputs, steps)
    if result.output != OUTPUT or any(name not in named for name in names):
        return None
    values = {name: named[name].value for name in names}
    gradients = {name: named[name].gradient for name in names}
    return Circuit(dict(inputs), steps, values, gradients) if all(map(isfinite, (*values.values(), *gradients.values()))) else None


def _is_fair(circuit: Circuit, largest: float) -> bool:
    """Whether the numbers are neither huge nor tiny, and no operand stands at a kink."""
    numbers = [*circuit.values.values(), *circuit.gradients.values()]
    if any(abs(number) > largest or 0 < abs(number) < 0.01 for number in numbers):
        return False
    if sum(1 for name in circuit.inputs if circuit.gradients[name] == 0.0) > len(circuit.inputs) // 2:
        return False
    for step in circuit.steps:
        arguments = circuit.arguments(step)
        if (step.kind is MAXIMUM and arguments[0] == arguments[1]) or (step.kind is RELU and arguments[0] == 0.0):
            return False
    return True


@cache
def _calculation(program: str) -> Calculation:
    return Calculation(program)


def _evaluated(program: str, values: Mapping[str, float]) -> Result:
    calculation = _calculation(program)
    (result,) = calculation.evaluate_all({name: values[name] for name in calculation.inputs}, Options(check="off"))
    return result


OPERANDS = ("u", "v")


def value_of(formula: str, arguments: Sequence[float], result: float = 0.0) -> float:
    """A formula of {0}, {1} and {y} at these operands and this result."""
    values = dict(zip(OPERANDS, arguments)) | {"y": result}
    return float(_evaluated(formula.format(*OPERANDS, y="y"), values).value)


def slopes_of(kind: Kind, arguments: Sequence[float]) -> list[float]:
    """The local derivatives of a gate at these operands."""
    names = OPERANDS[: kind.arity]
    gradients = _evaluated(kind.formula.format(*names), dict(zip(names, arguments))).gradients
    return [gradients[name] for name in names]


def wrong_values(kind: Kind, arguments: Sequence[float]) -> Iterator[tuple[float, str]]:
    """The values that slips give, each with the slip in words."""
    for slip in kind.wrong_values:
        yield value_of(slip.formula, arguments), slip.words
