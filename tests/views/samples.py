"""Results made by hand, to see how they look."""

from __future__ import annotations

from gradcalc.workspace import NodeReport, Result


def node(
    number: int, name: str, gate: str, inputs: tuple[int, ...], value: float, gradient: float, bar: float = 2e-15
) -> NodeReport:
    """A node whose gradient is confirmed."""
    named = name.isidentifier()
    return NodeReport(number, name, named, gate, inputs, (), value, gradient, gradient, bar, "ok", 14)


def quotient() -> Result:
    """(a+b)/(c+d) at 1, 2, 3, 4."""
    up, down = 1 / 7, -3 / 49
    nodes = [
        node(0, "a", "input", (), 1.0, up),
        node(1, "b", "input", (), 2.0, up),
        node(2, "a + b", "+", (0, 1), 3.0, up),
        node(3, "c", "input", (), 3.0, down),
        node(4, "d", "input", (), 4.0, down, 3e-15),
        node(5, "c + d", "+", (3, 4), 7.0, down),
        node(6, "(a + b)/(c + d)", "/", (2, 5), 3 / 7, 1.0, 0.0),
    ]
    return Result("(a + b)/(c + d)", 3 / 7, (), {"a": up, "b": up, "c": down, "d": down}, nodes, "ok")


def troubled() -> Result:
    """Something of everything: a kink, a mismatch, a constant, small and large numbers, names from elsewhere."""
    nodes = [
        node(0, "x", "input", (), -1.0, 4.139937376003502e-08, 1e-12),
        NodeReport(1, "-3", False, "constant", (), (), -3.0),
        NodeReport(2, "사과", True, "*", (0, 1), (), 12345678.25, 0.5, None, None, "kink", None, (0.0, 1.0), "a tie"),
        NodeReport(3, "relu(x[0])", False, "relu", (2,), (), 0.25, 2.0, 2.1, 2e-3, "mismatch", 1),
        NodeReport(4, "relu(x[0]) < 1", False, "<", (3, 1), (), 1.0),
    ]
    return Result("relu(x[0]) < 1", 1.0, (), {"x": 0.5}, nodes, "mismatch", ["look out"])


def long_chain(count: int) -> Result:
    """A sum of so many ones and an x."""
    nodes = [node(0, "x", "input", (), 1.0, 1.0)]
    nodes += [node(number, f"x{number}", "+", (number - 1,), float(number), 1.0) for number in range(1, count)]
    return Result("x + …", float(count), (), {"x": 1.0}, nodes, "ok")
