"""What the README shows is what the program prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.pictures import record
from tests.transcripts import ROOT, Session, run, sessions, settled

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("session", sessions(README), ids=lambda session: session.command[:40])
def test_a_command_prints_what_stands_below_it(session: Session) -> None:
    assert settled(run(session.command)) == settled(session.output)


def test_the_python_example_computes_what_its_comments_say() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [line.split("#") for line in code.splitlines() if "#" in line]
    setup = "\n".join(line for line in code.splitlines() if "#" not in line)
    names: dict[str, object] = {}
    exec(setup, names)
    assert len(lines) == 3
    for expression, comment in lines:
        assert repr(eval(expression, names)) == comment.strip()


def test_the_test_command_is_the_one_that_ci_runs() -> None:
    assert "python -m pytest -n 2" in README
    assert "python -m pytest -n 2" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("name", [*record.PICTURES, *record.SESSIONS])
def test_the_pictures_are_of_real_output(name: str) -> None:
    kept = (Path(record.__file__).parent / f"{name}.svg").read_text("utf-8")
    text = re.sub(r"<[^>]*>", "", kept)
    fresh = re.sub(r"<[^>]*>", "", record.picture(name))
    # The style sheets and the error bars may differ by version and machine, the words and numbers may not.
    bars = re.compile(r"±\S+?(?=\s|&#160;|$)|\d+&#160;digits|\.\w+-r\d+ \{[^}]*\}", re.MULTILINE)
    assert bars.sub("", text).split() == bars.sub("", fresh).split()


def test_every_file_that_the_readme_names_exists() -> None:
    for name in re.findall(r"examples/[\w./-]+\.(?:gc|svg)", README):
        assert (ROOT / name).is_file(), name
