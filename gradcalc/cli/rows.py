"""What commands share that take a program and a table of rows: where each of the two comes from, and that neither is lost."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gradcalc.cli.program import Source
from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram


def named_file(source: Source) -> Source:
    """A program that is the name of a file, as that file: no formula ends in .gc, or is the name of a file that exists."""
    words = source.text if source.path is None else None
    if words is not None and words != "-" and "\n" not in words and (words.endswith(".gc") or os.path.isfile(words)):
        return Source(words, None)
    return source


def refuse_taken_input(data: Sequence[str], program: GivenProgram) -> None:
    """Standard input is read once.

    Raises:
        UsageProblem: several things are to come from there.
    """
    times = sum(1 for given in data if given == "-")
    if times > 1:
        raise UsageProblem("--data - is given twice, and standard input is read once", remedy="name files for the others")
    if times and program.source.reads_standard_input:
        raise UsageProblem(
            "the program and the data are both to come from standard input", remedy="write the program as an argument, or -f FILE"
        )


def refuse_overwriting(written: Mapping[str, str | None], data: Sequence[str]) -> None:
    """Refuse to write to a file that is read, into a folder that is, and two things to one file.

    Args:
        written: by the option that names it, a file for results; None where none is named.
        data: tables, also as NAME=FILE.

    Raises:
        UsageProblem: something would take the place of something else.
    """
    targets = [(option, path) for option, path in written.items() if path is not None]
    for number, (option, target) in enumerate(targets):
        for text in data:
            file = text if os.path.exists(text) else text.partition("=")[2].strip()
            same = os.path.exists(file) and _same_file(target, file)
            folder = os.path.realpath(os.path.dirname(target) or ".")
            if same or (os.path.isdir(file) and folder == os.path.realpath(file)):
                words = "is the table that is read" if same else f"would become a part of the table {file}"
                raise UsageProblem(f"{option} {target} {words}", remedy=f"name another file after {option}")
        for other, path in targets[:number]:
            if _same_file(path, target):
                raise UsageProblem(f"{other} {path} and {option} {target} are one file", remedy=f"name another file after {option}")


def _same_file(first: str, second: str) -> bool:
    """Whether two paths lead to one file, by whatever links, or would."""
    if os.path.exists(first) and os.path.exists(second):
        return os.path.samefile(first, second)
    return os.path.realpath(first) == os.path.realpath(second)
