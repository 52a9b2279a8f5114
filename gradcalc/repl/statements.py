"""What a statement defines and what it uses, read from its words alone: so the statements of a session can be put in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import normalize

from gradcalc.language.scanner import Block, Piece
from gradcalc.language.tables import machine

LAST = "_"
"""The name of the last result."""

Word = tuple[str, int, int]


class Uses(NamedTuple):
    """The names in a statement.

    Attributes:
        target: the name that it assigns, or the gate that it defines; empty for an expression.
        defines_gate: whether the target is a gate.
        target_span: where the target stands.
        names: the names that it uses, each with the places where it stands.
        gates: the gates that it calls.
    """

    target: str
    defines_gate: bool
    target_span: tuple[int, int]
    names: dict[str, list[tuple[int, int]]]
    gates: frozenset[str]


def uses_of(piece: Piece) -> Uses:
    """The names in a statement, whether or not it is a correct one."""
    text = piece.block.text
    words = machine().words(text, piece.start, piece.end)
    target, defines_gate, span, parameters, body = _head(text, words)
    names: dict[str, list[tuple[int, int]]] = {}
    gates: set[str] = set()
    depth = 0
    for position in range(body, len(words)):
        kind, start, end = words[position]
        depth += (kind in ("LPAR", "LSQB")) - (kind in ("RPAR", "RSQB"))
        if kind != "NAME":
            continue
        name = normalize("NFKC", text[start:end])
        follows = words[position + 1][0] if position + 1 < len(words) else ""
        if follows == "LPAR":
            gates.add(name)
        elif name not in parameters and not (follows == "EQUAL" and depth > 0):
            names.setdefault(name, []).append((start, end))
    return Uses(target, defines_gate, span, names, frozenset(gates))


def _head(text: str, words: Sequence[Word]) -> tuple[str, bool, tuple[int, int], frozenset[str], int]:
    """What the statement defines, the parameters of a gate, and where its right side begins."""
    closing = _closing(words)
    if closing is None and (len(words) < 2 or words[0][0] != "NAME" or words[1][0] != "EQUAL"):
        return "", False, (0, 0), frozenset(), 0
    _, start, end = words[0]
    name = normalize("NFKC", text[start:end])
    if closing is None:
        return name, False, (start, end), frozenset(), 2
    listed = {normalize("NFKC", text[first:last]) for kind, first, last in words[2:closing] if kind == "NAME"}
    return name, True, (start, end), frozenset(listed), closing + 2


def _closing(words: Sequence[Word]) -> int | None:
    """The position of the bracket that closes the parameters, if this is the definition of a gate."""
    if [kind for kind, _, _ in words[:2]] != ["NAME", "LPAR"]:
        return None
    closing = next((position for position, word in enumerate(words) if word[0] == "RPAR"), len(words))
    return closing if closing + 1 < len(words) and words[closing + 1][0] == "EQUAL" else None


def is_definition(words: Sequence[Word]) -> bool:
    """Whether a statement defines a gate: its first word is the gate's name then."""
    return _closing(words) is not None


def source_of(piece: Piece) -> str:
    """The text of a statement."""
    return piece.block.text[piece.start : piece.end].rstrip()


def rewritten(piece: Piece, changes: Sequence[tuple[int, int, str]]) -> Piece:
    """The statement with stretches of its block replaced by other texts."""
    block = piece.block
    pieces = []
    position = piece.start
    for start, end, text in sorted(changes):
        pieces += [block.text[position:start], text]
        position = end
    text = "".join(pieces) + block.text[position : piece.end]
    made = Block(text, block.line_of(piece.start), block.file, block.alone, text.count("\n"))
    return Piece(made, 0, len(text), piece.error)
