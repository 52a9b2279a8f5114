"""Whatever is typed, the answer is a statement or a diagnostic with a place, never anything else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gradcalc.errors import GradcalcError
from gradcalc.language.program import Program

WORD_TEXT = r"""
x y f( sin( max( sum( leaky_relu( stack( pi 2 .5 1e3 1. ( ) [ ] + - * / ^ ** @ % < >= == != = , : .T . ... 's' " ' ;
| & ! ? { } \ $ ~ · × ² √ é ½ – ｘ and or not if lambda def axis= slope= x² 0x1F #
"""
WORDS = WORD_TEXT.split()


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, "\n", "\r", " ", "\t", "\u200b"]), max_size=10), st.sampled_from(["", " "]))
def test_any_words(words: list[str], space: str) -> None:
    program = Program()
    for statement in program.statements(space.join(words)):
        if isinstance(statement, GradcalcError):
            assert statement.place is not None
            assert statement.report().startswith("error: ")
    graph = program.graph
    assert len(graph) == len(graph.left) == len(graph.right) == len(program.sheet.starts) == len(program.sheet.spots)
    assert graph.input_count == len(program.inputs)
    for node in range(len(graph)):
        assert program.label(node)
        assert program.place(node).width > 0


@given(st.text(max_size=30))
def test_any_text(text: str) -> None:
    for statement in Program().statements(text):
        if isinstance(statement, GradcalcError):
            assert statement.place is not None
