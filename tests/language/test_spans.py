"""Which node each word of the text belongs to."""

from __future__ import annotations

import pytest

from gradcalc.errors import GradcalcError
from gradcalc.language.program import Output, Program
from gradcalc.language.spans import lines_of


def owners(text: str) -> list[list[tuple[str, str]]]:
    """For each line its words, each with the label of its node."""
    program = Program()
    last = None
    for statement in program.statements(text):
        assert not isinstance(statement, GradcalcError), statement
        last = statement.node if isinstance(statement, Output) else last
    assert last is not None
    reached = program.graph.reached([last])
    lines = lines_of(program, [node for node, flag in enumerate(reached) if flag])
    return [[(line.text[word.start : word.end], program.label(word.node)) for word in line.words] for line in lines]


def test_operators_belong_to_the_smallest_piece_around_them() -> None:
    (words,) = owners("(a+b)/(c+d)")
    assert ("+", "a+b") in words
    assert ("/", "(a+b)/(c+d)") in words
    assert [name for word, name in words if word == "a"] == ["a"]


def test_a_name_belongs_to_what_it_names_wherever_it_stands() -> None:
    (words,) = owners("s = x*y; s + x*s")
    assert [name for word, name in words if word == "s"] == ["s", "s", "s"]
    assert [name for word, name in words if word == "x"] == ["x", "x"]


def test_gates_and_their_brackets() -> None:
    (words,) = owners("sin(x)*2")
    assert [name for word, name in words if word in ("sin", "(", ")")] == ["sin(x)"] * 3
    assert ("2", "2") in words


def test_keywords_parameters_and_comments_belong_to_nobody() -> None:
    lines = owners("axis = 2; u = 3\nf(u) = u^2  # u is a parameter\nf(axis) + sum([u, u], axis=0)  # axis")
    words = [pair for line in lines for pair in line]
    assert [name for word, name in words if word == "axis"] == ["axis", "axis", "sum([u, u], axis=0)"]
    assert len([word for word, _ in words if word == "u"]) == 3


def test_lines_keep_their_text_and_numbers() -> None:
    program = Program()
    list(program.statements("# first\n\nx = 3\n  y = (x +\n   1)\r\ny*2"))
    lines = lines_of(program, range(len(program.graph)))
    assert [(line.number, line.text) for line in lines] == [(3, "x = 3"), (4, "  y = (x +"), (5, "   1)"), (6, "y*2")]
    assert all(line.text[word.start : word.end].strip() for line in lines for word in line.words)


@pytest.mark.parametrize("text", ["사과 = x*2; 사과 + 1", "µ*2 + μ"])
def test_names_are_compared_as_the_language_does(text: str) -> None:
    (words,) = owners(text)
    names = [word for word, name in words if word in ("사과", "µ", "μ")]
    assert len(names) == 2


def test_more_text_than_is_of_use_is_left_alone() -> None:
    program = Program()
    list(program.statements("x = 1; " + " + ".join(["x"] * 12_000)))
    assert lines_of(program, range(10)) == []
