"""`gradcalc repl` as a script, and the commands of the registry in a session."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gradcalc.cli.commands import COMMANDS
from tests.cli.harness import COMMAND, ROOT, Answer, process, run


def script(text: str, *arguments: str) -> Answer:
    """Run a session from a pipe."""
    return run("repl", *arguments, stdin=text)


def test_a_script_answers_expressions_and_commands() -> None:
    answer = script("a = 2\nb = 3; a*b\n:eval _ + 1 --value\na = 5\n_\n")
    assert answer == (
        0,
        "a*b = 6   ✓ ok\n  gradient  a 3   b 2\n7\na*b = 15   ✓ ok\n  gradient  a 3   b 5\n",
        "",
    )


def test_the_exit_status_is_that_of_eval() -> None:
    assert script("1+1\n").status == 0
    answer = script("a = 1\n2a\na*3\nb*2\n")
    assert answer.status == 2
    assert answer.out == "a*3 = 3   ✓ ok\n  gradient  a 3\n"
    assert answer.err.startswith("error: line 2: an operator is missing")
    assert "error: line 4: b has no value\n  b*2\n  ^\n  give it one: b = NUMBER\n" in answer.err
    assert script("f(1,\n2").status == 2
    assert script(":nosuch\n").status == 2
    assert script(":eval nosuch(1)\n").status == 2
    assert script("").status == 0


def test_what_a_broken_line_was_to_define_is_known_to_be_broken() -> None:
    answer = script("a = 2\ns = a +\ns*2\n")
    assert "s could not be computed: see line 2" in answer.err


def test_commands_take_options_as_on_the_command_line() -> None:
    lines = "a = 2; x = 3; a*x^2\n:eval --format json --wrt a --a 10\n:eval --value a + x --x=5\n:eval --nosuch 1\n:eval a --let\n"
    answer = script(lines)
    document, bare = answer.out.splitlines()[2:4]
    assert json.loads(document)["gradients"] == {"a": 9.0}
    assert json.loads(document)["value"] == 90
    assert bare == "7"
    assert answer.err.startswith("error: ")
    assert "the program has no input nosuch" in answer.err
    assert "error: --let needs a value" in answer.err


def test_mistakes_in_the_expression_of_a_command_are_shown_without_line_numbers() -> None:
    answer = script("a = 2\nb = 3\na*b\n:eval a + 2b\n:eval q + 1\n")
    assert "error: an operator is missing behind the number\n  a + 2b\n      ^^\n" in answer.err
    assert "error: q has no value\n  q + 1\n  ^\n  give it one: q = NUMBER\n" in answer.err


def test_a_name_that_is_an_option_is_asked_for() -> None:
    answer = script("digits = 2; digits*2\n:eval --digits 3\n:eval --let digits=3 --value\n")
    assert "error: digits is an input and an option\n  write --let digits=3 for the input\n" in answer.err
    assert answer.out.splitlines()[-1] == "6"


def test_commands_do_not_read_the_script() -> None:
    answer = script("a = 2; a*3\n:eval -\n:eval -f -\na*4\n")
    assert answer.out.splitlines()[-2] == "a*4 = 8   ✓ ok"


def test_a_session_without_an_expression_says_so() -> None:
    assert script(":eval\n") == (
        2,
        "",
        "error: the session has no expression yet\n  write one first, or behind the command\n",
    )
    assert script(":eval 1+1 --value\n").out == "2\n"
    assert script("s = a*2; a = 4\n:eval --value\n").out == "8\n"


def test_random_numbers_are_the_same_in_a_command() -> None:
    answer = script("W = randn(3); t = k + rand(); k = 1; sum(W)*t\n:eval --value\n:eval _ --value\n")
    shown, bare, again = answer.out.splitlines()[0], *answer.out.splitlines()[-2:]
    assert shown.split(" = ")[1].split()[0] == bare == again


def test_every_command_of_the_registry_is_offered() -> None:
    text = script(":help\n").out
    for name, entry in COMMANDS.items():
        assert (f"  :{name} " in text) == entry.session, name


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if entry.session])
def test_every_command_of_the_registry_has_help_in_a_session(name: str) -> None:
    for line in (f":help {name}\n", f":{name} --help\n"):
        answer = script(line)
        assert (answer.status, answer.err) == (0, "")
        assert answer.out.startswith(f"Usage: :{name}")


def test_help_about_a_gate() -> None:
    assert script(":help sigmoid\n") == run("gates", "sigmoid")
    assert script(":gates activations\n") == run("gates", "activations")


def test_opening_gates() -> None:
    answer = script("f(u) = u*sigmoid(u); x = 1; f(x)\n:open\n:open f\n")
    opened = run("f(u) = u*sigmoid(u); x = 1; f(x)", "--open", "all").out
    assert opened in answer.out
    assert answer.out.count("exp(-x)") < 2 * opened.count("exp(-x)")


def test_a_saved_session_is_a_program(tmp_path: Path) -> None:
    path = tmp_path / "my session.gc"
    answer = script(f"a = 2; W = rand(2, 2)\nsum(W)*a\n_*_\na = 3\n:save {path}\n:eval --value\n")
    assert answer.status == 0
    bare = run("eval", "-f", str(path), "--value").out.splitlines()
    assert bare[-1] == answer.out.splitlines()[-1]
    assert len(bare) == 2
    again = script(f":load {path}\n:eval --value\n")
    assert again.out.splitlines()[-1] == bare[-1]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    assert (
        script(f":load {tmp_path}/none.gc\n").err == f"error: line 1: {tmp_path}/none.gc can't be read: no such file or directory\n"
    )
    answer = script(f"1+1\n:save {tmp_path}/none/x.gc\n2+2\n")
    assert answer.err.startswith(f"error: line 2: {tmp_path}/none/x.gc can't be written: no such file or directory")
    assert "name another file after :save\n" in answer.err
    assert answer.out == "1 + 1 = 2\n2 + 2 = 4\n"
    (tmp_path / "bad.gc").write_bytes(b"a = 1\n\xff\n")
    answer = script(f":load {tmp_path}/bad.gc\na*2\n")
    assert "is not UTF-8 text" in answer.err
    assert "a*2 = 2" in answer.out


def test_a_session_may_begin_with_a_program(tmp_path: Path) -> None:
    path = tmp_path / "model.gc"
    path.write_text("a = 1 # default\ns = a*x\ns + 1\n")
    answer = script("a = 4\n_\n", "-f", str(path), "--a", "3", "--x", "5")
    assert answer.out == "s + 1 = 16   ✓ ok\n  gradient  a 5   x 3\ns + 1 = 21   ✓ ok\n  gradient  a 5   x 4\n"
    assert script("_ + 1\n", "x^2", "--x", "2/4").out.splitlines()[2] == "x^2 + 1 = 1.25   ✓ ok"
    assert script("a*2\n", "--a", "3").out == "a*2 = 6   ✓ ok\n  gradient  a 2\n"
    answer = script("a\n", "--a", "0..1")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("error: --a is not a single value\n")


def test_options_of_the_session_hold_for_its_commands(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2\n")
    text = f'x = load("{tmp_path}/x.csv")\n:eval sum(load("{tmp_path}/x.csv"))\n'
    answer = script(text, "--no-load")
    assert answer.err.count("this run may read no files") == 2
    assert script(text).status == 0
    first, second = (script("rand()\n:eval rand() --value\n", "--seed", "4").out for _ in range(2))
    assert first == second
    assert script("zeros(1000)\n:eval zeros(1000)\n", "--max-array", "1000").err.count("error: ") == 2


def test_digits() -> None:
    assert script("x = 1; x/3\n", "--digits", "3").out.endswith("  gradient  x 0.333\n")


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert script("\ufeffa = 2\r\na*3\r\n:eval --value\r\n").out.splitlines()[-1] == "6"


def test_input_that_is_not_utf8() -> None:
    done = process("repl", stdin=b"1+1\n\xff\n")
    assert (done.returncode, done.stdout) == (2, b"1 + 1 = 2\n")
    assert done.stderr == b"error: standard input is not UTF-8 text: byte 0xff in line 2\n  save it as UTF-8\n"


def test_answers_come_one_by_one() -> None:
    with subprocess.Popen([*COMMAND, "repl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdin is not None and running.stdout is not None
        for number in range(3):
            running.stdin.write(f"{number}*2\n".encode())
            running.stdin.flush()
            assert running.stdout.readline() == f"{number}*2 = {number * 2}\n".encode()
        running.stdin.write(b":quit\n1+1\n")
        running.stdin.close()
        assert running.stdout.read() == b""
        assert running.wait(10) == 0


def test_a_closed_pipe_is_quiet() -> None:
    text = b"1+1\n:eval\n" * 3000
    with subprocess.Popen(
        [*COMMAND, "repl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        running.stdin.write(b"1+1\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"1 + 1 = 2\n"
        running.stdout.close()
        try:
            running.stdin.write(text)
            running.stdin.close()
        except BrokenPipeError:
            pass
        assert running.stderr.read() == b""
        assert running.wait(20) == 0


def test_the_plain_locale_gets_plain_text() -> None:
    done = subprocess.run(
        [*COMMAND, "repl"],
        input=b"x = 0; abs(x)\n:help\n",
        capture_output=True,
        cwd=ROOT,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    assert done.stdout.isascii()
    assert b"  kink: the gradient follows" in done.stdout


@pytest.mark.parametrize("arguments", [["1+1"], ["eval", "1+1"], ["--help"]])
def test_other_commands_load_nothing_of_a_session(arguments: list[str]) -> None:
    program = (
        "import sys; from gradcalc.cli import main; main(sys.argv[1:]); "
        "print([name for name in sys.modules if name.startswith(('prompt_toolkit', 'gradcalc.repl'))], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, cwd=ROOT, check=True)
    assert done.stderr.strip() == b"[]"


def test_a_script_does_not_load_the_prompt() -> None:
    program = "import sys; from gradcalc.cli import main; main(['repl']); print('prompt_toolkit' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], input=b"1+1\n", capture_output=True, cwd=ROOT, check=True)
    assert done.stderr.strip() == b"False"


def test_a_mistake_in_a_command_says_its_line() -> None:
    assert script("1 + 1\n\n:nope\n").err.startswith("error: line 3: there is no command :nope\n")


def test_what_a_search_found_is_taken_over() -> None:
    lines = "x = 1; y = 2\n(x - 3)^2 + y^2\n:optimize --minimize --rate 0.5\n"
    assert ":take" not in script(lines).out  # nobody is watching
    assert script(f"{lines}:take\nx\n:undo\n:undo\nx\n").out.splitlines()[-4:] == [
        "x = 3   ✓ ok", "  gradient  x 1", "x = 1   ✓ ok", "  gradient  x 1",
    ]  # fmt: skip
    answer = script(f"{lines}:take\n:take\n")
    assert answer.err.startswith("error: line 5: there are no values to take over\n")
    answer = script("x = 1\n-(x^2)\n:optimize --minimize --rate 9\n:take\n")
    assert "there are no values to take over" in answer.err


def test_what_a_fit_and_a_training_found_is_taken_over(tmp_path: Path) -> None:
    table = tmp_path / "line.csv"
    table.write_text("u,v\n" + "".join(f"{n},{2 * n + 1}\n" for n in range(6)))
    for search in (":fit m*u + b --data {} --target v", ":train m*u + b --data {} --target v --rate 0.1 --epochs 3000"):
        answer = script(f"m = 0; b = 0\n{search.format(table)}\n:take\nm; b\n")
        numbers = [float(line.split()[2]) for line in answer.out.splitlines() if line.startswith(("m = ", "b = "))]
        assert numbers[-2:] == pytest.approx([2, 1], abs=1e-3), answer


def test_the_gradients_among_the_inputs_are_those_of_now() -> None:
    answer = script("x = 1\nx^2\nx = 5\n:inputs\n")
    assert answer.out.splitlines()[-1].split() == ["x", "5", "10"]


def test_help_about_a_command_is_for_the_session() -> None:
    told = run("repl", stdin=":help graph\n:help eval\n").out
    assert '\n  :graph "q = x+y; f = q*z" --x -2' in told
    assert "Show every line of a long tree." in told
    assert "gradcalc graph" not in told
    assert "--version" not in told
    assert "| gradcalc" not in told
