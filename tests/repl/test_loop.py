"""What a session answers, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gradcalc.repl.loop import Loop
from tests.repl.harness import Played


def test_an_expression_is_answered_with_value_and_gradients() -> None:
    played = Played("a = 1; b = 2; c = 3; d = 4")
    assert played.told("(a+b)/(c+d)") == (
        "(a + b)/(c + d) = 0.42857142857142855   ✓ ok\n"
        "  gradient  a 0.1428571429   b 0.1428571429   c -0.0612244898   d -0.0612244898\n"
    )
    assert played.last is not None
    assert len(played.last.nodes) == 7
    assert played.kept.status == 0


def test_definitions_are_answered() -> None:
    played = Played()
    assert played.told("r = pi/2") == "r = 1.5707963267948966\n"
    assert played.told("s = r*k") == "s needs k\n"
    assert played.told("f(u, v) = u*v") == "f(u, v) is a gate now\n"
    assert played.told("k = 2") == "k = 2\n  s = 3.141592653589793\n"


def test_what_follows_an_assignment_is_shown_once_for_a_whole_line() -> None:
    played = Played("a = 1; b = 2; s = a + b; s*10")
    assert played.told("a = 3; b = 4") == ("a = 3   b = 4\n  s = 7\ns*10 = 70   ✓ ok\n  gradient  a 10   b 10\n")
    assert played.told("a = 5; s") == "a = 5\ns = 9   ✓ ok\n  gradient  a 1   b 1\n"


def test_an_expression_is_answered_as_soon_as_its_values_are_known() -> None:
    played = Played()
    assert played.told("a*b") == ("error: a and b have no value\n  a*b\n  ^\n  give them values: a = NUMBER; b = NUMBER\n")
    assert played.told("a = 2") == "a = 2\na*b still needs b\n"
    assert played.told("b = 3") == "b = 3\na*b = 6   ✓ ok\n  gradient  a 3   b 2\n"


def test_mistakes_show_the_place_and_keep_the_session() -> None:
    played = Played("a = 2")
    assert played.told("2a + 1") == "error: an operator is missing behind the number\n  2a + 1\n  ^^\n  to multiply, write 2*a\n"
    assert played.told("s = [1, 2] + [1, 2, 3]").startswith("error: ")
    assert played.told("s = 4") == "s = 4\n"
    assert played.told("a*s") == "a*s = 8   ✓ ok\n  gradient  a 4   s 2\n"
    assert played.told("x = _ +").startswith("error: ")
    assert "does not exist" in played.told("sum(a, axis=3)")
    assert played.told("_ + 0") == "a*s + 0 = 8   ✓ ok\n  gradient  a 4   s 2\n"
    assert played.told("t = [a, s] + [1, 2, 3]").startswith("error: ")
    assert played.told("t") == "error: t has no value\n  t\n  ^\n  give it one: t = NUMBER\n"


def test_a_new_value_may_break_what_depends_on_it_for_a_while() -> None:
    played = Played("x = [1, 2]; W = [3, 4]; s = x + W; sum(s)")
    assert "error: " in played.told("x = [1, 2, 3]")
    assert played.told("W = [1, 1, 1]").endswith("sum(s) = 9   ✓ ok\n  gradient  x [1, 1, 1]   W [1, 1, 1]\n")


def test_verdicts_that_are_not_simply_well_are_explained() -> None:
    played = Played("x = 0")
    assert "\n  ∧ kink: the gradient follows a convention at x\n" in played.told("abs(x)")
    assert played.told("1 + 2") == "1 + 2 = 3\n"
    played.told("log(x)")
    assert played.kept.warnings == ["log(x) at node 1 is -inf: its input is 0"]


def test_several_lines_are_one_entry() -> None:
    played = Played()
    assert played.told("a = [1,\n  2]\nsum(a)\n:inputs").startswith("a = [1, 2]\nsum(a) = 3   ✓ ok\n")


def test_what_a_new_gate_does_not_go_with_is_left_out() -> None:
    played = Played("f(u) = u; f(2)")
    played.told("f(u, v) = u*v")
    assert played.kept.warnings == ["f(2) is left out, since it does not go with this: f takes 2 arguments, not 1"]


def test_interrupting_takes_a_statement_back(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played("a = 2; a*3")
    before = played.session.state

    def interrupted(self: Loop, cell: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_answer", interrupted)
    assert played.told("a*4") == "interrupted: the session is as it was before this statement\n"
    assert played.session.state is before
    monkeypatch.undo()
    assert played.told("_ + 0") == "a*3 + 0 = 6   ✓ ok\n  gradient  a 3\n"


def test_a_script_answers_expressions_only() -> None:
    played = Played(talkative=False)
    played.run_script(["a = 2\n", "a*3\n", "a = 4\n", "_\n"])
    assert played.kept.text == "a*3 = 6   ✓ ok\n  gradient  a 3\na*3 = 12   ✓ ok\n  gradient  a 3\n"


def test_a_script_without_expressions_answers_the_last_name() -> None:
    played = Played(talkative=False)
    played.run_script(["x = 3\n", "s = x^2"])
    assert played.kept.text == "s = 9   ✓ ok\n  gradient  x 6\n"
    played = Played(talkative=False)
    played.run_script(["x = 3\n", ":undo\n"])
    assert played.kept.text == ""


def test_many_gradients_are_cut_short_and_arrays_described() -> None:
    names = [f"x{number}" for number in range(30)]
    played = Played("; ".join(f"{name} = 1" for name in names))
    text = played.told("+".join(names))
    assert text.endswith("and 6 more: :eval shows all\n")
    assert max(map(len, text.splitlines()[1:])) <= 100
    played.told("W = ones(20, 30)")
    assert "  gradient  W 20×30, all 1" in played.told("sum(W)")


def test_commands_of_the_command_line_get_their_words() -> None:
    played = Played("a = 1", ':eval a + 1 --wrt a --let "b=2 + 3"', ":plot")
    assert played.commands == [("eval", ["a", "+", "1", "--wrt", "a", "--let", "b=2 + 3"]), ("plot", [])]
    played.answer = 1
    played.enter(":plot")
    assert played.kept.status == 1
    played.answer = 2
    played.enter(":plot")
    assert played.kept.status == 2


def test_open_is_the_table_with_gates_opened() -> None:
    played = Played("f(u) = u", ":open", ":open sigmoid,f", ":open f a*b --all", ":open a + b")
    assert [arguments for _, arguments in played.commands] == [
        ["--open", "all"],
        ["--open", "sigmoid,f"],
        ["--open", "f", "a*b", "--all"],
        ["--open", "all", "a", "+", "b"],
    ]


def test_help_lists_everything() -> None:
    played = Played()
    text = played.told(":help")
    for name in ("eval", "plot", "gates", "help", "inputs", "open", "undo", "reset", "load FILE", "save FILE", "quit"):
        assert f"  :{name}" in text
    assert "Ctrl-R" in text
    assert text == played.told(":h") == played.told(":?") == played.told(":")


def test_help_about_one_thing() -> None:
    played = Played()
    assert played.told(":help :save").startswith(":save FILE\nWrite the session as a program")
    played.enter(":help eval")
    played.enter(":help sigmoid")
    played.enter(":help +")
    assert played.commands == [("eval", ["--help"]), ("gates", ["sigmoid"]), ("gates", ["+"])]
    assert played.told(":help sav").endswith("did you mean :help save?\n")
    assert played.told(":help qqqqqq").startswith("error: there is no command and no gate qqqqqq\n")


def test_unknown_commands() -> None:
    played = Played()
    assert played.told(":evla x") == "error: there is no command :evla\n  did you mean :eval?\n"
    assert played.told(":undo 3") == "error: :undo takes no arguments\n  write :undo\n"
    assert played.told(":load").startswith("error: :load needs the name of a file\n")
    assert played.told(':eval "a').startswith("error: this string has no end\n")
    assert not played.commands


def test_inputs() -> None:
    played = Played("a = 2; r = pi/2; y = a*x")
    assert played.told(":inputs") == ("input  value        given as\na      2\nr      1.570796327  pi/2\nx      no value\n")
    played.enter("x = 3; y")
    assert played.told(":inputs") == (
        "input  value        given as  gradient\n"
        "a      2                      3\n"
        "r      1.570796327  pi/2\n"
        "x      3                      2\n"
    )
    assert Played().told(":inputs").startswith("there are no inputs yet")


def test_undo_and_reset() -> None:
    played = Played("a = 2; a*3", "a = 5")
    assert played.told(":undo") == "undone: a = 5\na*3 = 6   ✓ ok\n  gradient  a 3\n"
    assert played.told(":reset") == "the session is empty now; :undo brings it back\n"
    assert played.told(":inputs").startswith("there are no inputs")
    assert played.told(":undo").startswith("undone: :reset\na*3 = 6")
    played.told(":undo")
    played.told(":undo")
    assert played.told(":undo") == "error: there is nothing to undo\n"


def test_save_and_load() -> None:
    played = Played()
    assert played.told(":save out.gc") == "error: there is nothing to save\n  type a formula first\n"
    played.enter("a = 2; a*3")
    assert played.told(":save 'out.gc'") == "saved: gradcalc eval -f out.gc gives the same results\n"
    assert played.told(":save 'my file.gc'") == "saved: gradcalc eval -f 'my file.gc' gives the same results\n"
    assert played.files["out.gc"] == "a = 2\na*3\n"
    other = Played("b = 1")
    other.files["x.gc"] = "a = 2\nc = 2a\na*3; a*b\n"
    assert other.told(":load x.gc") == (
        "a*3 = 6   ✓ ok\n  gradient  a 3\na*b = 2   ✓ ok\n  gradient  b 2   a 1\n"
        "x.gc: 3 more statements in the session\n"
        "error: x.gc:2: an operator is missing behind the number\n  c = 2a\n      ^^\n  to multiply, write 2*a\n"
    )
    assert other.told(":undo") == "undone: :load x.gc\n"
    assert [cell.uses.target for cell in other.session.state.cells] == ["b"]
    assert other.told(":load no.gc") == "error: no.gc can't be read\n"


@pytest.mark.parametrize("line", [":quit", ":q", ":exit", "  :quit"])
def test_quit(line: str) -> None:
    played = Played(f"1+1\n{line}\n2+2")
    assert played.finished
    assert "2 + 2" not in played.kept.text


@pytest.mark.parametrize(("word", "command"), [("exit", ":quit"), ("quit()", ":quit"), ("help", ":help"), ("?", ":help")])
def test_commands_without_their_colon_are_explained(word: str, command: str) -> None:
    played = Played("a = 2")
    assert command in played.told(word)
    assert len(played.session.state.cells) == 1


def test_names_that_are_also_commands_may_be_used() -> None:
    played = Played("help = 2")
    assert played.told("help").startswith("help = 2 ")


def test_a_session_speaks_of_its_own_commands() -> None:
    assert ":gates lists every gate" in Played().told("print(3)")


def test_what_a_command_found_is_offered_and_taken_back() -> None:
    played = Played("x = 1; s = 2*x")
    run = played.shell.run

    def found(name: str, arguments: Sequence[str]) -> int:
        played.session.offer = {"x": 0.1 + 0.2}
        return run(name, arguments)

    played.shell = played.shell._replace(run=found)
    assert played.told(":eval") == ":take takes these values over: x = 0.3\n"
    assert played.told(":take") == "x = 0.30000000000000004\n  s = 0.6000000000000001\n"
    assert played.told(":undo").startswith("undone: :take\n")
    assert played.told("x").startswith("x = 1 ")


def test_files_that_commands_write_are_confirmed(tmp_path: Path) -> None:
    played = Played("a = 2; a*3")
    path = tmp_path / "out.csv"
    assert played.told(f":eval -o {path}") == f"written: {path}\n"
    path.write_text("")
    assert played.told(f":eval -o {path}") == f"replaced: {path}\n"
    assert played.told(f":save {path}").startswith("replaced: gradcalc eval -f")
    played.answer = 2
    assert played.told(f":eval -o {path}") == ""


def test_what_follows_an_assignment_is_shown_once() -> None:
    played = Played("y = a^2; a = 1; y")
    assert played.told("a = 3") == "a = 3\n  y = 9\n"


def test_a_name_that_was_left_out_has_no_value_and_no_line() -> None:
    played = Played("f(u) = u^2; x = 2; y = f(x); f(u, v) = u*v")
    assert played.told("y").startswith("error: y has no value\n")


def test_a_command_behind_a_statement_needs_a_line_of_its_own() -> None:
    told = Played("x = 2").told("x^2; :graph")
    assert "error: a command needs a line of its own\n  x^2; :graph\n       ^^^^^^\n  write :graph at the beginning" in told


def test_an_interrupted_command_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played("a = 2; a*3")

    def interrupted(name: str, arguments: Sequence[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(played, "shell", played.shell._replace(run=interrupted))
    assert played.told(":eval") == "interrupted: the session is as it was before this command\n"


def test_an_array_that_was_pasted_is_listed_on_one_line() -> None:
    assert "[[1, 2], [3, 4]]\n" in Played("A = [[1, 2],\n     [3, 4]]").told(":inputs") + "\n"
