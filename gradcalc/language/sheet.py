"""Where the nodes of a graph stand in the text, and what they are called."""

from __future__ import annotations

from array import array
from bisect import bisect_right

from gradcalc.errors import Place
from gradcalc.language.scanner import Block

LABEL_LIMIT = 60
"""How long a label may be unless something else is asked for."""


class Sheet:
    """Where the nodes of a graph stand in the text: columns beside the graph's own."""

    __slots__ = ("blocks", "ends", "firsts", "names", "spots", "starts")

    def __init__(self) -> None:
        self.starts = array("i")
        self.ends = array("i")
        self.spots = array("i")
        """Where a node's operator or gate name stands."""
        self.firsts: list[int] = []
        """The first node of each statement that made nodes."""
        self.blocks: list[Block] = []
        self.names: dict[int, str] = {}

    def block(self, node: int) -> Block:
        """The source lines in which a node was written."""
        return self.blocks[bisect_right(self.firsts, node) - 1]

    def label(self, node: int, limit: int | None = LABEL_LIMIT) -> str:
        """A node's name, or else the piece of source that it stands for, cut with … where it is longer than the limit."""
        name = self.names.get(node)
        if name is None:
            name = plain_source(self.block(node).text, self.starts[node], self.ends[node], limit)
        return name if limit is None or len(name) <= limit else name[: limit - 1] + "…"

    def place(self, node: int) -> Place:
        """Where a node's operator, gate or name stands in the text."""
        from gradcalc.language.tables import machine

        block, spot = self.block(node), self.spots[node]
        words = machine().words(block.text, spot, min(self.ends[node], spot + 200))
        return block.place(spot, words[0][2] if words else spot + 1)

    def open(self, node: int, block: Block) -> None:
        """Note that the nodes from this one on are written in this block."""
        if self.firsts and self.firsts[-1] == node:
            self.blocks[-1] = block
        else:
            self.firsts.append(node)
            self.blocks.append(block)

    def cut(self, nodes: int) -> None:
        """Forget all nodes from this one on."""
        del self.starts[nodes:], self.ends[nodes:], self.spots[nodes:]
        while self.firsts and self.firsts[-1] >= nodes:
            self.firsts.pop()
            self.blocks.pop()


def plain_source(text: str, start: int, end: int, limit: int | None = None) -> str:
    """A piece of source on one line, without comments; no more of it than a limit needs is looked at."""
    if limit is not None and end > start + 4 * limit:
        return plain_source(text, start, start + 4 * limit)[:limit] + "…"
    piece = text[start:end]
    if "#" in piece or "\n" in piece or "\r" in piece:
        from gradcalc.language.tables import machine

        words = machine().words(text, start, start + len(piece))
        pieces: list[str] = []
        last = start
        for kind, first, behind in words:
            gap = first > last and kind not in ("RPAR", "RSQB", "COMMA")
            if gap and pieces and pieces[-1] not in ("(", "["):
                pieces.append(" ")
            pieces.append(text[first:behind])
            last = behind
        return "".join(pieces)
    return " ".join(piece.split())
