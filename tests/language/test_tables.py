"""The tables are those of the grammar, and the machine reads the same language as Lark."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import lark
import pytest

from gradcalc.language import tables
from gradcalc.language.machine import Machine, Unexpected

WHERE = tables.folder()


def test_the_tables_are_fresh() -> None:
    fresh = tables.tables_of(tables.parser(WHERE / tables.GRAMMAR))
    assert (WHERE / tables.TABLES).read_text("utf-8") == tables.text_of(fresh), "run: python -m gradcalc.language.tables"


def test_the_grammar_has_no_conflicts_that_lark_would_settle_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    from lark.utils import logger

    said: list[str] = []
    monkeypatch.setattr(logger, "debug", lambda message, *rest: said.append(message % rest))
    lark.Lark((WHERE / tables.GRAMMAR).read_text("utf-8"), parser="lalr", lexer="basic")
    assert [message for message in said if "onflict" in message] == []


@pytest.mark.parametrize("damage", ["format", "missing", "torn", "empty"])
def test_tables_that_do_not_fit_are_not_used(damage: str, tmp_path: Path) -> None:
    path = tmp_path / tables.TABLES
    shutil.copy(WHERE / tables.TABLES, path)
    stored = json.loads(path.read_text("utf-8"))
    if damage == "format":
        path.write_text(json.dumps(stored | {"format": 0}))
    elif damage == "missing":
        path.unlink()
    elif damage == "torn":
        path.write_text(json.dumps(stored)[:5000])
    else:
        path.write_text("{}")
    assert tables.read(path) is None


def outline(machine: Machine, text: str) -> Any:
    """The rules that were applied, in their order; None if the text is no statement."""
    applied: list[str] = []
    callbacks = machine.callbacks(lambda name: lambda children: applied.append(name))
    try:
        machine.parse(text, 0, len(text), callbacks)
    except Unexpected:
        return None
    return applied


def from_tree(parser: lark.Lark, text: str) -> Any:
    applied: list[str] = []
    try:
        tree = parser.parse(text)
    except lark.exceptions.UnexpectedInput:
        return None
    applied.extend(str(node.data) for node in tree.iter_subtrees())
    return sorted(applied)


WORD_TEXT = "x y f ( ) ( ) [ ] , + - * / ^ ** @ % < == = : .T ... 2 .5 1e3 'a' f(x)= x="
WORDS = WORD_TEXT.split()


def test_the_machine_reads_the_language_of_lark() -> None:
    parser = tables.parser(WHERE / tables.GRAMMAR)
    loaded = tables.read(WHERE / tables.TABLES)
    assert loaded is not None
    machines = [Machine(tables.tables_of(parser)), Machine(loaded)]
    draw = random.Random(7)
    accepted = 0
    for _ in range(4000):
        text = " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 7)))
        wanted = from_tree(parser, text)
        for machine in machines:
            rules = outline(machine, text)
            assert (rules is None) == (wanted is None), text
            assert rules is None or sorted(rules) == wanted, text
        accepted += wanted is not None
    assert accepted > 100
