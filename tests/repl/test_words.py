"""The words behind a command: quotes as in a shell, expressions as in the language."""

from __future__ import annotations

import pytest

from gradcalc.errors import ProgramSyntaxError
from gradcalc.repl.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  a + b  --all ", ["a", "+", "b", "--all"]),
        ("x=\"a + b\" --o='a b'", ["x=a + b", "--o=a b"]),
        ('sum(load("x y.npy"), axis=0)  -o out.csv', ['sum(load("x y.npy"), axis=0)', "-o", "out.csv"]),
        ('""', [""]),
        ('[1, 2] "f(a, b)" )x', ["[1, 2]", "f(a, b)", ")x"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_a_quote_without_an_end_is_shown() -> None:
    with pytest.raises(ProgramSyntaxError) as caught:
        split_words('a --claim "x')
    assert caught.value.place is not None
    assert caught.value.place.column == 10
