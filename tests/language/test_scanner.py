"""Statements are found alike whatever pieces the text arrives in."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcalc.errors import LimitProblem
from gradcalc.language import scanner
from gradcalc.language.scanner import is_complete, scan


def found(source: str | Iterable[str]) -> list[tuple[str, int, str]]:
    """Each statement with its line, and what is wrong with it."""
    answer = []
    for piece in scan(source):
        error = piece.error.report() if piece.error is not None else ""
        answer.append((piece.block.text[piece.start : piece.end].strip(), piece.block.line_of(piece.start), error))
    return answer


def statements(source: str) -> list[str]:
    return [text for text, _, _ in found(source)]


def test_newlines_and_semicolons_end_statements() -> None:
    assert statements("a = 1; b\nc;; d ;\n\n;e") == ["a = 1", "b", "c", "d", "e"]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_kind_of_line_end_counts_once(end: str) -> None:
    assert [line for _, line, _ in found(end.join(["a", "", "(b", ")", "c"]))] == [1, 3, 5]


def test_brackets_strings_and_comments_hide_what_ends_a_statement() -> None:
    assert statements("(a\n+ b) # c; d (\n'#;(' + \"'\"\n[1, # )\n2]") == [
        "(a\n+ b) # c; d (",
        "'#;(' + \"'\"",
        "[1, # )\n2]",
    ]


def test_a_byte_order_mark_at_the_start_is_ignored() -> None:
    assert found("\ufeffa\nb") == found("a\nb")
    assert found(["\ufeffa\n", "b"]) == found("a\nb")


def test_comments_and_strings_may_hold_any_character() -> None:
    assert all(not error for _, _, error in found("a # 全角（）\u200b\n load('（x）')"))


def test_a_statement_is_there_as_soon_as_its_line_is() -> None:
    taken = []

    def lines() -> Iterable[str]:
        for line in ("a\n", "(b\n", ")\n", "c\n"):
            taken.append(line)
            yield line

    pieces = scan(lines())
    next(pieces)
    assert taken == ["a\n"]
    next(pieces)
    assert taken == ["a\n", "(b\n", ")\n"]


def test_scanning_goes_on_behind_a_bracket_that_is_never_closed() -> None:
    answer = found("a = (1 +\n2\nb = 3\nc = [4\n5\nd = 6")
    assert [(text, line, bool(error)) for text, line, error in answer] == [
        ("a = (1 +\n2", 1, True),
        ("b = 3", 3, False),
        ("c = [4\n5", 4, True),
        ("d = 6", 6, False),
    ]


def test_many_brackets_that_are_never_closed_take_no_quadratic_time() -> None:
    assert all(error for _, _, error in found("x = (\n" * 20_000))


def test_a_program_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "LIMIT", 10)
    with pytest.raises(LimitProblem):
        list(scan("a + b + c + d"))
    with pytest.raises(LimitProblem):
        list(scan(["a\n"] * 6))
    assert len(list(scan(["a\n"] * 5))) == 5


@pytest.mark.parametrize(
    ("text", "complete"),
    [("a", True), ("(a", False), ("[1,\n", False), ("(a)\n", True), ("# (", True), ("'('", True), ("a)", True)],
)
def test_completeness_for_a_prompt(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


programs = st.lists(
    st.sampled_from(["a", " + ", "(", ")", "[", "]", "\n", "\r", "\r\n", ";", "#", "'", '"', "x = ", "é", "\u200b", "（"])
).map("".join)


@given(programs, st.lists(st.integers(0, 60), max_size=8))
def test_any_cutting_into_pieces_finds_the_same(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[first:last] for first, last in zip(places, places[1:])]
    whole = [(statement, line) for statement, line, _ in found(text)]
    assert [(statement, line) for statement, line, _ in found(pieces)] == whole


@given(programs)
def test_places_lie_inside_their_line(text: str) -> None:
    for piece in scan(text):
        place = piece.block.place(piece.start, piece.end)
        assert place.text[place.column : place.column + place.width]
        assert "\n" not in place.text and "\r" not in place.text
