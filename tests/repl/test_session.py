"""A session: statements that replace others, what follows them, `_`, and the way back."""

from __future__ import annotations

import pytest

from gradcalc.errors import GradcalcError, NameProblem
from gradcalc.language.scanner import scan
from gradcalc.repl.session import Change, Session
from gradcalc.repl.statements import source_of


def take(session: Session, text: str) -> Change:
    """Take statements; answers with what the last one did."""
    changes = [session.take(piece) for piece in scan(text)]
    return changes[-1]


def started(text: str) -> Session:
    session = Session(seed=1)
    take(session, text)
    return session


def value(session: Session, text: str) -> object:
    return session.result(take(session, text).cell).value


def sources(session: Session) -> list[str]:
    return [source_of(cell.piece) for cell in session.state.cells]


def last(session: Session) -> object:
    assert session.state.last is not None
    return session.result(session.cell(session.state.last)).value


def test_an_input_that_is_assigned_again_changes_what_depends_on_it() -> None:
    session = started("a = 2; b = 3; s = a*b; s + 1")
    change = take(session, "a = 10")
    assert last(session) == 31
    assert [source_of(cell.piece) for cell in change.affected] == ["s = a*b", "s + 1"]
    assert take(session, "unrelated = 1").affected == ()


def test_an_expression_may_come_before_its_values() -> None:
    session = started("(a + b)/c")
    cell = session.state.cells[0]
    assert session.missing(cell) == ["a", "b", "c"]
    with pytest.raises(GradcalcError) as caught:
        session.result(cell)
    assert caught.value.message == "a, b and c have no value"
    for text, missing in (("c = 4", ["a", "b"]), ("a = 1", ["b"]), ("b = 2", [])):
        take(session, text)
        assert session.missing(cell) == missing
    assert last(session) == 0.75


def test_a_value_may_become_a_formula_and_a_formula_a_value() -> None:
    session = started("x = 2; y = 5; s = x + y; s*10")
    take(session, "x = y^2")
    assert last(session) == 300
    result = session.result(session.state.cells[-1])
    assert result.gradients == {"y": 110.0}
    take(session, "s = 7")
    assert last(session) == 70


def test_the_sheet_stands_in_an_order_in_which_a_file_could() -> None:
    session = started("t = a + k; t*2")
    take(session, "k = 2*m")
    take(session, "a = 3")
    take(session, "m = 1")
    found = sources(session)
    assert found.index("m = 1") < found.index("k = 2*m") < found.index("t = a + k") < found.index("t*2")
    assert found.index("a = 3") < found.index("t = a + k")
    assert last(session) == 10


def test_a_constant_may_get_another_value() -> None:
    session = started("2*e")
    take(session, "e = 3")
    assert last(session) == 6
    assert session.result(session.state.cells[-1]).gradients == {"e": 2.0}


def test_its_own_old_value_in_an_assignment() -> None:
    session = started("x = 2; x = x + 1; x = x*x; 1*x")
    assert last(session) == 9
    session = started("a = 2; s = 3*a; s = s + a; s")
    assert session.result(session.state.cells[-1]).gradients == {"a": 4.0}
    session = started("v = [1, 2]; v = v*3; sum(v)")
    assert last(session) == 9
    session = started("d = -2; d = d^2; d*1")
    assert last(session) == 4


def test_what_leads_back_to_itself_is_refused() -> None:
    session = started("a = 1; b = a + y; c = b*2")
    with pytest.raises(NameProblem, match="a would depend on itself: a → c → b → a"):
        take(session, "a = c")
    with pytest.raises(NameProblem, match="z is used in its own definition"):
        take(session, "z = z + 1")
    with pytest.raises(NameProblem, match="y is used in its own definition"):
        take(session, "y = y + 1")
    assert sources(session) == ["a = 1", "b = a + y", "c = b*2"]


def test_a_mistake_leaves_the_session_as_it_was() -> None:
    session = started("a = 1; a*2")
    before = session.state
    for text in ("a = 2x", "s = a +", "sin(", "a = [1, 2] + [1, 2, 3]", "f(x) = nosuch(x)", "b = nosuch(a)"):
        with pytest.raises(GradcalcError):
            take(session, text)
        assert session.state is before
    assert last(session) == 2
    assert value(session, "b = 4; b*a") == 4
    assert value(session, "s = 5; s") == 5


def test_the_last_result() -> None:
    session = started("a = 2; b = 3; a*b")
    assert value(session, "_ + a") == 8
    assert session.result(session.state.cells[-1]).gradients == {"a": 4.0, "b": 2.0}
    assert value(session, "_*_") == 64
    assert value(session, "s = _; s + 1") == 65
    take(session, "a = 1")
    assert last(session) == 17
    with pytest.raises(NameProblem, match="_ is the last result"):
        take(session, "_ = 3")
    with pytest.raises(NameProblem, match="no last result"):
        take(Session(), "_ + 1")


def test_a_last_result_without_inputs_is_a_value() -> None:
    session = started("1/3; x = _; x*3")
    assert last(session) == 1
    assert session.result(session.state.cells[-1]).gradients == {"x": 3.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("* 2", 12), ("/2", 3), ("^2", 36), ("**2", 36), ("- 2", 4), ("+ 2*a", 10), ("− 2", 4), ("< 7", 1), ("-2", -2), ("+2", 2)],
)
def test_a_line_that_begins_with_an_operator_goes_on(text: str, expected: float) -> None:
    assert value(started("a = 2; a*3"), text) == expected


def test_a_transpose_goes_on_and_a_sign_in_a_file_does_not() -> None:
    session = started("A = [[1, 2]]; A*2")
    take(session, ".T")
    assert last(session).tolist() == [[2], [4]]
    for piece in scan("- 2", "library.gc"):
        session.take(piece)
    assert last(session) == -2


def test_gates_of_ones_own() -> None:
    session = started("f(u) = u*k; k = 2; f(5)")
    assert last(session) == 10
    take(session, "f(u) = u + k")
    assert last(session) == 7
    change = take(session, "f(u, v) = u*v")
    assert [source_of(cell.piece) for cell, _ in change.dropped] == ["f(5)"]
    assert session.state.last is None
    session.undo()
    assert last(session) == 7


def test_what_a_lost_definition_was_used_for_goes_with_it() -> None:
    session = started("f(u) = 2*u; x = 1; y = x; s = f(x) + y; s*2; x + 1")
    change = take(session, "f(u, v) = u")
    assert [source_of(cell.piece) for cell, _ in change.dropped] == ["s = f(x) + y", "s*2"]
    assert last(session) == 2


def test_undo_goes_back_statement_by_statement() -> None:
    session = started("a = 1; a + 1; a = 5; b = 2")
    assert session.undo() == "b = 2"
    assert session.undo() == "a = 5"
    assert last(session) == 2
    assert session.undo() == "a + 1"
    assert session.state.last is None
    assert session.undo() == "a = 1"
    assert session.undo() is None
    assert session.state.cells == ()


def test_several_statements_may_be_one_step() -> None:
    session = started("a = 1")
    with session.one_step("many"):
        take(session, "b = 2; a*b")
    assert session.undo() == "many"
    assert sources(session) == ["a = 1"]
    session.reset()
    assert session.state.cells == ()
    assert session.undo() == ":reset"
    assert sources(session) == ["a = 1"]


def test_restoring_takes_an_interrupted_statement_back_for_good() -> None:
    session = started("a = 1")
    before = session.state
    take(session, "a = 2")
    session.restore(before)
    assert value(session, "a*1") == 1
    assert [session.undo(), session.undo(), session.undo()] == ["a*1", "a = 1", None]


def test_the_same_expression_again_takes_the_place_of_the_old_one() -> None:
    session = started("a = 1; a*2; a*3; a*2")
    assert sources(session) == ["a = 1", "a*3", "a*2"]
    assert sources(started("rand(); rand()")) == ["rand()", "rand()"]


def test_draws_stay_while_the_session_moves_on() -> None:
    session = Session()
    take(session, "W = randn(3); k = 1; sum(W)*k")
    first = last(session)
    take(session, "V = randn(3)")
    take(session, "k = 2")
    assert last(session) == pytest.approx(2 * first)  # type: ignore[operator]
    take(session, "W = randn(3)")
    assert last(session) != pytest.approx(2 * first)  # type: ignore[operator]


def test_a_seed_makes_a_session_repeatable() -> None:
    values = [value(Session(seed=5), "x = rand(); x*1") for _ in range(2)]
    assert values[0] == values[1]
    assert values[0] != value(Session(seed=6), "x = rand(); x*1")


def test_the_subject_is_the_last_expression_else_the_last_name() -> None:
    session = started("a = 1; s = a*x; f(u) = u; a = 2")
    assert session.subject is not None
    assert session.subject.uses.target == "s"
    take(session, "a + 1; t = 2")
    assert session.subject.uses.target == ""
