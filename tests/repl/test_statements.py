"""The names in a statement, and statements with other words in some places."""

from __future__ import annotations

import pytest

from gradcalc.language.scanner import Piece, scan
from gradcalc.repl.statements import rewritten, source_of, uses_of


def piece(text: str) -> Piece:
    (found,) = scan(text)
    return found


@pytest.mark.parametrize(
    ("text", "target", "names", "gates"),
    [
        ("a*b + a", "", {"a", "b"}, set()),
        ("s = a*x", "s", {"a", "x"}, set()),
        ("s == a", "", {"s", "a"}, set()),
        ("f(u, v) = u*v + w + g(u)", "f", {"w"}, {"g"}),
        ("sum(x, axis=0) + axis", "", {"x", "axis"}, {"sum"}),
        ("sum(x, axis=n)", "", {"x", "n"}, {"sum"}),
        ("t = [a, x[i:j], y.T] # and b", "t", {"a", "x", "i", "j", "y"}, set()),
        ("x = 2*pi", "x", {"pi"}, set()),
        ("_ + 1", "", {"_"}, set()),
        ("y = f(\n  2, # not z\n  b)", "y", {"b"}, {"f"}),
        ("\N{MICRO SIGN} = \N{MICRO SIGN}2", "\N{GREEK SMALL LETTER MU}", {"\N{GREEK SMALL LETTER MU}2"}, set()),
        ('load("a b.csv", "x")*k', "", {"k"}, {"load"}),
        ("a +* b", "", {"a", "b"}, set()),
        ("f(x", "", {"x"}, {"f"}),
    ],
)
def test_the_names_that_a_statement_defines_and_uses(text: str, target: str, names: set[str], gates: set[str]) -> None:
    uses = uses_of(piece(text))
    assert (uses.target, set(uses.names), set(uses.gates)) == (target, names, gates)
    assert uses.defines_gate == text.startswith("f(u")


def test_every_place_of_a_name_is_known() -> None:
    found = list(scan("a; b + a*a"))[1]
    assert [found.block.text[start:end] for start, end in uses_of(found).names["a"]] == ["a", "a"]


def test_a_rewritten_statement_has_its_line_and_places() -> None:
    found = list(scan("x = 1\ny = f(_,\n  _)\n"))[1]
    spans = uses_of(found).names["_"]
    made = rewritten(found, [(*span, "(a + b)") for span in spans])
    assert source_of(made) == "y = f((a + b),\n  (a + b))"
    assert made.block.place(0, 1).line == 2
    assert made.block.place(made.block.text.index("\n") + 3, made.end).line == 3
