"""`gradcalc quiz` with answers from a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from random import Random

import pytest

from gradcalc.repl.circuits import random_circuit
from gradcalc.repl.marking import gradient_order
from tests.cli.harness import COMMAND, ROOT, Answer, run


def right_answers(level: int, seed: int, questions: int) -> list[str]:
    """What to type, to three digits."""
    random = Random(seed)
    answers = []
    for _ in range(questions):
        made = random_circuit(level, random)
        answers += [f"{made.values[step.name]:.3g}" for step in made.steps]
        answers += [f"{made.gradients[name]:.3g}" for name in gradient_order(made)]
    return answers


def quiz(answers: list[str], *arguments: str) -> Answer:
    return run("quiz", *arguments, stdin="".join(f"{answer}\n" for answer in answers))


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_all_right(level: int) -> None:
    answers = right_answers(level, 7, 2)
    answer = quiz(answers, "--level", str(level), "--seed", "7", "--questions", "2")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith(f"\nScore: {len(answers)} of {len(answers)} numbers right, 2 of 2 circuits without a mistake.\n")
    assert answer.out.count("✓ all right") == 4
    assert f"Circuit 2 of 2, level {level}\n" in answer.out


def test_a_mistake_is_followed_back() -> None:
    answers = right_answers(2, 3, 1)
    answer = quiz(["1234", *answers[1:]], "--level", "2", "--seed", "3", "--questions", "1")
    assert answer.status == 1
    assert "  The chain broke at p.\n  ✗ p = " in answer.out
    assert answer.out.endswith(f"\nScore: {len(answers) - 1} of {len(answers)} numbers right, 0 of 1 circuit without a mistake.\n")


def test_expressions_count_and_what_is_no_number_is_asked_again() -> None:
    answers = right_answers(1, 5, 1)
    answer = quiz([f"{answers[0]}*2/2", "oops", *answers[1:]], "--seed", "5", "--questions", "1")
    assert answer.status == 0
    assert answer.err.startswith("error: your answer: oops has no value\n")


def test_no_answer_is_shown_and_counts_as_wrong() -> None:
    answers = right_answers(1, 5, 1)
    answer = quiz(["", *answers[1:]], "--seed", "5", "--questions", "1")
    assert answer.status == 1
    assert "  – f = " in answer.out
    assert "The chain broke" not in answer.out


def test_the_end_of_the_answers_is_the_end() -> None:
    answers = right_answers(2, 3, 2)
    answer = quiz(answers[:1], "--level", "2", "--seed", "3")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith("Score: 1 of 1 number right.\n")
    answer = quiz([], "--seed", "3")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith("\nNo answers, no score.\n")


def test_the_circuit_is_shown_as_statements() -> None:
    made = random_circuit(3, Random(1))
    out = quiz([], "--level", "3", "--seed", "1").out
    for step in made.steps:
        assert f"  {step.name} = {step.formula}\n" in out
    for name, value in made.inputs.items():
        assert f"{name} = {value:g}" in out


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--level", "9"], "--level: 9 is not"), (["--questions", "0"], "--questions: 0")]
)
def test_options_out_of_range(arguments: list[str], message: str) -> None:
    answer = quiz([], *arguments)
    assert answer.status == 2
    assert answer.err.startswith(f"error: {message}")


def test_interrupting_tells_the_score() -> None:
    with subprocess.Popen(
        [*COMMAND, "quiz", "--seed", "3", "--level", "2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        running.stdin.write(b"1\n")
        running.stdin.flush()
        seen = b""
        deadline = time.monotonic() + 20
        while b"p = 1\n" not in seen and time.monotonic() < deadline:
            seen += os.read(running.stdout.fileno(), 65536)
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
        assert running.stderr.read() == b""
        assert b"score" in running.stdout.read()


def test_plain_text_in_the_plain_locale() -> None:
    done = subprocess.run(
        [*COMMAND, "quiz", "--seed", "3", "--questions", "1"],
        input=b"1234\n1\n1\n",
        capture_output=True,
        cwd=ROOT,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert b"  wrong f = " in done.stdout
    assert b"right all right" not in done.stdout


def test_the_names_of_the_circuit_may_stand_in_answers() -> None:
    made = random_circuit(2, Random(3))
    values = [step.formula for step in made.steps]
    gradients = [f"{made.gradients[name]!r} + {made.steps[0].name} - {made.steps[0].name}" for name in gradient_order(made)]
    answer = quiz([*values, *gradients], "--level", "2", "--seed", "3", "--questions", "1")
    assert (answer.status, answer.err) == (0, ""), answer
    later = quiz([f"2*{made.steps[-1].name}", *values, *gradients], "--level", "2", "--seed", "3", "--questions", "1")
    assert "f has no value" in later.err, "a value that is not asked for yet must not be told"
    assert later.status == 0


def test_what_follows_from_a_mistake_counts() -> None:
    made = random_circuit(2, Random(3))
    wrong = made.values["p"] + 7
    assert made.steps[1].operands.count("p") == 1
    answers = [f"{wrong}", made.steps[1].formula, *right_answers(2, 3, 1)[2:]]
    answer = quiz(answers, "--level", "2", "--seed", "3", "--questions", "1")
    assert "so the mistake is there" in answer.out
    assert answer.out.endswith(f"\nScore: {len(answers) - 1} of {len(answers)} numbers right, 0 of 1 circuit without a mistake.\n")


def test_help_and_leaving_are_no_answers() -> None:
    answers = right_answers(1, 5, 1)
    answer = quiz(["?", answers[0], ":help", ":quit"], "--seed", "5")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.count("Enter alone shows the answer") == 2
    assert answer.out.endswith("Score: 1 of 1 number right.\n")


def test_an_unknown_name_in_the_first_answer_is_told_the_known_ones() -> None:
    answer = quiz(["oops", "2*pi"], "--seed", "5", "--questions", "1")
    assert "write a number, or an expression in x, y\n" in answer.err
    assert answer.err.count("error:") == 1
