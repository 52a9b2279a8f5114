"""Which node each word of a program's text belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gradcalc.language.program import Program
from gradcalc.language.scanner import Block
from gradcalc.language.tables import machine

LONGEST = 20_000
"""Of so many characters of text the words are looked up."""


class Word(NamedTuple):
    """A word of a line: where it begins and ends, in characters from 0, and the node that it belongs to."""

    start: int
    end: int
    node: int


class Line(NamedTuple):
    """A line of source with the words that belong to nodes."""

    number: int
    text: str
    words: tuple[Word, ...]


def lines_of(program: Program, nodes: Iterable[int]) -> list[Line]:
    """The lines in which these nodes were written, with the words of each; none if there is more text than is of use.

    A name belongs to what it names, an operator, a gate or a bracket to the smallest piece of text around it that is a node.
    """
    sheet = program.sheet
    wanted = sorted(nodes)
    blocks: dict[int, tuple[Block, list[int]]] = {}
    for node in wanted:
        block = sheet.block(node)
        blocks.setdefault(id(block), (block, []))[1].append(node)
    if sum(len(block.text) for block, _ in blocks.values()) > LONGEST:
        return []
    named = {name: node for name, node in program.names.items() if node in set(wanted)}
    lines: list[Line] = []
    for block, own in blocks.values():
        lines += _lines(block, _words(block, own, program, named))
    return lines


def _words(block: Block, nodes: Iterable[int], program: Program, named: dict[str, int]) -> list[Word]:
    from unicodedata import normalize

    sheet, text = program.sheet, block.text
    owners = [-1] * len(text)
    for node in sorted(nodes, key=lambda node: (sheet.starts[node] - sheet.ends[node], node)):
        start, end = sheet.starts[node], sheet.ends[node]
        owners[start:end] = [node] * (end - start)
    words = machine().words(text, 0, len(text))
    found = []
    for number, (kind, start, end) in enumerate(words):
        behind = words[number + 1][0] if number + 1 < len(words) else ""
        owner = owners[start]
        if kind == "NAME" and behind != "LPAR":
            name = named.get(normalize("NFKC", text[start:end]))
            assigned = behind == "EQUAL" and owner < 0
            if name is not None and (assigned or (owner >= 0 and behind != "EQUAL")):
                owner = name
        if owner >= 0:
            found.append(Word(start, end, owner))
    return found


def _lines(block: Block, words: Iterable[Word]) -> list[Line]:
    """The words of a block, line by line."""
    starts = [0]
    for line in block.text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    texts = block.text.splitlines()
    words = list(words)
    for number, (text, start) in enumerate(zip(texts, starts)):
        within = tuple(Word(w.start - start, w.end - start, w.node) for w in words if start <= w.start < start + len(text))
        if within:
            found.append(Line(block.line + number, text, within))
    return found
