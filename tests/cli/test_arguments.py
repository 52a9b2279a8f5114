"""The command line, divided into options, values for inputs and the program."""

from __future__ import annotations

import pytest

from gradcalc.cli.arguments import Arguments, divide, known_options
from gradcalc.cli.eval import command
from gradcalc.errors import GradcalcError

KNOWN = known_options(command.get_params(command.make_context("eval", [], resilient_parsing=True)))


def divided(*arguments: str) -> Arguments:
    result = divide(arguments, KNOWN)
    assert result.problem is None, result.problem
    return result


def refused(*arguments: str) -> GradcalcError:
    result = divide(arguments, KNOWN)
    assert result.problem is not None
    return result.problem


@pytest.mark.parametrize(
    ("arguments", "programs", "bindings", "options"),
    [
        (["a+b", "--a", "1", "--b=2"], ["a+b"], {"a": "1", "b": "2"}, []),
        (["--a", "1", "a+b"], ["a+b"], {"a": "1"}, []),
        (["x", "--x", "-2"], ["x"], {"x": "-2"}, []),
        (["x", "--x", "-e"], ["x"], {"x": "-e"}, []),
        (["x", "--x=--2"], ["x"], {"x": "--2"}, []),
        (["x", "--x", ""], ["x"], {"x": ""}, []),
        (["-a+b"], ["-a+b"], {}, []),
        (["-x"], ["-x"], {}, []),
        (["-fx"], ["-fx"], {}, []),
        (["--(a+b)", "--a", "1"], ["--(a+b)"], {"a": "1"}, []),
        (["-"], ["-"], {}, []),
        (["--", "--a"], ["--a"], {}, []),
        (["--a", "1", "--", "-f"], ["-f"], {"a": "1"}, []),
        (["v", "--v", "1"], ["v"], {"v": "1"}, []),
        (["v", "--val", "1"], ["v"], {"val": "1"}, []),
        (["v", "--value"], ["v"], {}, ["--value"]),
        (["v", "--format", "json"], ["v"], {}, ["--format=json"]),
        (["v", "--format=json"], ["v"], {}, ["--format=json"]),
        (["v", "--upstream", "-2"], ["v"], {}, ["--upstream=-2"]),
        (["-f", "lib.gc", "v"], ["v"], {}, ["-f", "lib.gc"]),
        (["-f", "-"], [], {}, ["-f", "-"]),
        (["v", "--let", "a=1", "--let", "b=2"], ["v"], {}, ["--let=a=1", "--let=b=2"]),
        (["θ1", "--θ1", "1", "--사과=2"], ["θ1"], {"θ1": "1", "사과": "2"}, []),
        (["μ", "--\N{MICRO SIGN}", "1"], ["μ"], {"\N{GREEK SMALL LETTER MU}": "1"}, []),
        (["a<b", "--a", "b=c"], ["a<b"], {"a": "b=c"}, []),
    ],
)
def test_divided(arguments: list[str], programs: list[str], bindings: dict[str, str], options: list[str]) -> None:
    result = divided(*arguments)
    assert (result.programs, result.bindings, result.options) == (programs, bindings, options)


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (["a", "--a"], "--a has no value", "write --a NUMBER, or --a=VALUE where it begins with --"),
        (["a", "--a", "--b", "2"], "--a has no value", "write --a NUMBER, or --a=VALUE where it begins with --"),
        (["a", "--formt", "--a", "2"], "--formt has no value", "did you mean --format?"),
        (["a", "--jsno"], "--jsno has no value", "did you mean --format json?"),
        (["a", "--a", "1", "--a", "2"], "a is given twice", "keep one of --a 1 and --a 2"),
        (["a", "--a", "-f"], "--a has no value", "write --a NUMBER, or --a=VALUE where it begins with --"),
        (["a", "--no-laod"], "there is no option --no-laod", "did you mean --no-load?"),
        (["a", "--q-z"], "there is no option --q-z", "inputs have no hyphen in their names; --help lists the options"),
        (["a", "--value=3"], "--value takes no value", "if value is an input of the program, write --let value=3"),
        (["a", "--value", "--value"], "--value is given twice", "keep one of them"),
        (["a", "--format", "csv", "--format=csv"], "--format is given twice", "keep one of them"),
        (
            ["a", "--check"],
            "--check needs a value: one of auto, central, one-sided, complex, exact, off",
            "write --check VALUE",
        ),
        (["-f"], "-f needs a value", "write -f VALUE"),
    ],
)
def test_refused(arguments: list[str], message: str, remedy: str) -> None:
    problem = refused(*arguments)
    assert (problem.message, problem.remedy) == (message, remedy)


def test_options_given_are_noted() -> None:
    assert divided("v", "--seed", "3", "--quiet", "-f", "x").given == {
        "seed": "--seed 3",
        "quiet": "--quiet",
        "f": "-f x",
    }


def test_help_is_noticed_even_behind_mistakes() -> None:
    assert divided("a+b", "--help").help
    assert not divided("a+b", "--", "--help").help
