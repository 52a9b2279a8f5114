"""Random programs of the language, well-formed but odd, to be evaluated and checked.

`python -m tests.programs 100000 SEED` runs that many and prints how they were judged; it fails if one of them is a `mismatch`.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

import gradcalc
from gradcalc.gates import Gate
from gradcalc.workspace import Options, Result
from tests.catalogue import ELEMENTWISE

CONSTANTS = ("pi", "e", "tau", "2", "3", "0.5", "10", "1", "0", "1e-3", "-1", "1/3")
NAMES = ("x", "y", "z", "w", "θ", "사과", "lambda", "x_1")
CALLED = [record for record in ELEMENTWISE if record.syntax is None]
OPERATORS = [record for record in ELEMENTWISE if record.syntax is not None]

TAMED = {
    "log": ("abs({})", "{} ^ 2 + 0.1", "exp({})"),
    "log2": ("abs({})", "square({}) + 1"),
    "log10": ("abs({})", "sigmoid({})"),
    "log1p": ("abs({})", "{} ^ 2"),
    "sqrt": ("abs({})", "{} ^ 2 + 1", "softplus({})"),
    "asin": ("sin({})", "tanh({})", "{} / (1 + abs({}))"),
    "acos": ("cos({})", "tanh({})"),
    "atanh": ("tanh({})", "sin({}) / 2"),
    "acosh": ("1 + abs({})", "cosh({})"),
    "exp": ("tanh({})", "min({}, 5)"),
    "exp2": ("sin({})", "clip({}, -9, 9)"),
    "expm1": ("-abs({})", "atan({})"),
    "sinh": ("atan({})", "log1p(abs({}))"),
    "cosh": ("erf({})", "asinh({})"),
    "reciprocal": ("1 + {} ^ 2", "cosh({})"),
}
"""What may stand around the input of a gate that has a small domain or grows fast, so that not every program ends in nan."""


class Maker:
    """Writes one program."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.names: list[str] = []
        self.gates: list[tuple[str, int]] = []

    def program(self) -> str:
        """A program of a few inputs, named nodes and gates of its own, and one output."""
        rng = self.rng
        for name in rng.sample(NAMES, rng.randint(1, 4)):
            self.lines.append(f"{name} = {self.number()}")
            self.names.append(name)
        for number in range(rng.choice((0, 0, 1, 2))):
            self.define(f"f{number}")
        for number in range(rng.choice((0, 1, 2, 4))):
            self.lines.append(f"n{number} = {self.dependent(rng.randint(1, 3))}")
            self.names.append(f"n{number}")
        self.lines.append(self.dependent(rng.randint(1, 4)))
        return "\n".join(self.lines)

    def number(self) -> str:
        """An input's value: ordinary, whole, zero, huge or tiny."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.5:
            return repr(rng.uniform(-3, 3))
        if kind < 0.65:
            return str(rng.randint(-3, 3))
        if kind < 0.75:
            return rng.choice(("0", "1", "-1", "0.5", "-0.5", "2", "1e-9", "-1e-6", "1e6", "100", "pi/2", "1/3"))
        if kind < 0.9:
            return repr(rng.gauss(0, 1) * 10 ** rng.uniform(-6, 6))
        return repr(rng.uniform(0, 1))

    def dependent(self, depth: int) -> str:
        """An expression that uses a name (one without would be another input)."""
        return f"{self.expression(depth)} {self.rng.choice('+-*')} {self.rng.choice(self.names)}"

    def define(self, name: str) -> None:
        """A gate of the program's own."""
        outer, self.names = self.names, ["a", "b"][: self.rng.randint(1, 2)]
        captured = [self.rng.choice(outer)] if self.rng.random() < 0.3 else []
        parameters = self.names
        self.names = parameters + captured
        self.lines.append(f"{name}({', '.join(parameters)}) = {self.dependent(2)}")
        self.gates.append((name, len(parameters)))
        self.names = outer

    def expression(self, depth: int) -> str:
        """An expression of at most this depth."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.1:
            return rng.choice(self.names) if rng.random() < 0.8 else rng.choice(CONSTANTS)
        kind = rng.random()
        if kind < 0.4:
            return self.operation(rng.choice(OPERATORS), depth)
        if kind < 0.5 and self.gates:
            name, count = rng.choice(self.gates)
            return f"{name}({', '.join(self.expression(depth - 1) for _ in range(count))})"
        return self.call(rng.choice(CALLED), depth)

    def operation(self, record: Gate, depth: int) -> str:
        """A gate with a symbol."""
        rng = self.rng
        if record.name == "neg":
            return f"-({self.expression(depth - 1)})"
        if record.name == "pow" and rng.random() < 0.7:
            return f"({self.expression(depth - 1)})^{rng.choice(('2', '3', '0.5', '-1', '0', '1', '2.5', '(1/3)'))}"
        symbol = "^" if record.name == "pow" else record.name
        return f"({self.expression(depth - 1)} {symbol} {self.expression(depth - 1)})"

    def call(self, record: Gate, depth: int) -> str:
        """A gate that is called by its name."""
        rng = self.rng
        least, most = record.arity
        count = least if most == least else rng.randint(least, least + 2)
        arguments = [self.expression(depth - 1) for _ in range(count)]
        tamed = TAMED.get(record.name)
        if tamed is not None and count == 1 and rng.random() < 0.7:
            arguments = [rng.choice(tamed).replace("{}", f"({arguments[0]})")]
        if record.name == "where":
            arguments[0] = f"{rng.choice(self.names)} {rng.choice(('<', '>=', '==', '!='))} {rng.choice(CONSTANTS)}"
        for attribute in record.attributes:
            if rng.random() < 0.3:
                arguments.append(f"{attribute.name}={attribute.default + rng.choice((0.0, 0.25, 0.5))!r}")
        return f"{record.name}({', '.join(arguments)})"


def random_program(rng: random.Random) -> str:
    """The text of a random well-formed program."""
    return Maker(rng).program()


def judged(text: str, check: str = "auto") -> Result:
    """A program's result, checked."""
    return next(gradcalc.parse(text).evaluate_all(options=Options(check=check)))


def run(number: int, seed: str) -> Iterator[tuple[str, str, str]]:
    """Evaluate programs of a seed; for each its own seed, its text and how it was judged (`value` where it is not finite)."""
    for index in range(number):
        own = f"{seed}/{index}"
        text = random_program(random.Random(own))
        result = judged(text)
        finite = result.value - result.value == 0.0
        yield own, text, result.verdict if finite else "value"


def main(arguments: list[str]) -> int:
    """Run programs and print the counts."""
    number = int(arguments[0]) if arguments else 2000
    seed = arguments[1] if len(arguments) > 1 else str(random.SystemRandom().randrange(10**9))
    print(f"seed {seed}")
    counted: Counter[str] = Counter()
    began = time.perf_counter()
    for own, text, verdict in run(number, seed):
        counted[verdict] += 1
        if verdict == "mismatch":
            print(f"mismatch in {own}:\n{text}\n")
    print(", ".join(f"{verdict} {count}" for verdict, count in counted.most_common()))
    print(f"{time.perf_counter() - began:.1f} s")
    return int(counted["mismatch"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
