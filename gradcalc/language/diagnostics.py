"""What is said about a text that is no statement: where it goes wrong, in words of the language, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gradcalc.errors import GradcalcError, NameProblem, Place, ProgramSyntaxError
from gradcalc.gates import REGISTRY
from gradcalc.language.nearest import nearest
from gradcalc.language.tables import machine

if TYPE_CHECKING:
    from gradcalc.language.program import Program
    from gradcalc.language.scanner import Block, Piece

OPERATORS = frozenset({"COMPARISON", "POWER", "PLUS", "MINUS", "TIMES", "DIVIDE", "AT", "PERCENT"})
OPERAND_ENDS = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "TRANSPOSE"})
OPERAND_STARTS = frozenset({"NAME", "NUMBER", "STRING", "LPAR", "LSQB"})
CLOSING = {"RPAR": "LPAR", "RSQB": "LSQB"}

OTHER_SPELLINGS = {
    "power": "x^y",
    "lg": "log10(x)",
    "tg": "tan(x)",
    "cot": "1/tan(x)",
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "maximum": "max(x, y)",
    "minimum": "min(x, y)",
    "sgn": "sign(x)",
    "fabs": "abs(x)",
    "logistic": "sigmoid(x)",
    "average": "mean(x)",
    "avg": "mean(x)",
    "if": "where(condition, x, y)",
    "iif": "where(condition, x, y)",
    "ifelse": "where(condition, x, y)",
    "array": "[1, 2, 3]",
    "tensor": "[1, 2, 3]",
    "vector": "[1, 2, 3]",
    "matrix": "[[1, 2], [3, 4]]",
    "matmul": "a @ b",
    "swish": "silu(x)",
    "heaviside": "x > 0",
    "step": "x > 0",
    "int": "floor(x)",
    "float": "x",
    "mod": "a % b",
    "add": "a + b",
    "mul": "a*b",
    "div": "a/b",
    "not": "1 - x",
    "concatenate": "concat(a, b)",
    "signum": "sign(x)",
    "root": "x^(1/n)",
    "len": "size(x)",
}
"""What other languages call a gate, with what to write here; used only where the catalogue has no gate of that name."""

CHARACTERS = {
    "{": "write ( ) to group, and [ ] for an array",
    "}": "write ( ) to group, and [ ] for an array",
    "$": "a name needs no sign before it",
    "\\": "to go on in the next line, put the expression in brackets",
    "`": "write names without quotes",
    "~": "write 1 - x for “not”",
    "?": "write where(condition, a, b) to choose",
    "&": "write a*b for “and”: comparisons are 1 or 0",
    "|": "write abs(x) for |x|, and max(a, b) for “or”: comparisons are 1 or 0",
    "!": "write 1 - x for “not”, and != for “not equal”",
    '"': "only a gate such as load takes text",
    "'": "only a gate such as load takes text",
    "≤": "write <= instead",
    "≥": "write >= instead",
    "≠": "write != instead",
    "√": "write sqrt(x)",
    "∛": "write cbrt(x)",
    "∞": "write inf",
    "∑": "write sum(x)",
    "∏": "write prod(x)",
    "∂": "the derivatives are reported beside the value anyway",
    "∇": "the gradient is reported beside the value anyway",
    "∫": "there are no integrals",
    "–": "write - instead",
    "—": "write - instead",
    "‐": "write - instead",
    "∗": "write * instead",
    "∙": "write * instead",
    "•": "write * instead",
    "⊙": "write * instead",
    "⊗": "write * or outer(a, b) instead",
    "∕": "write / instead",
    "⁄": "write / instead",
    "∥": "write norm(x)",
    "‖": "write norm(x)",
    "“": 'write " instead',
    "”": 'write " instead',
    "„": 'write " instead',
    "‘": 'write " instead',
    "’": "write x.T for a transpose; derivatives are reported anyway",
    "′": "derivatives are reported beside the value anyway",
    "→": "write f(x) = … to define a gate",
    "←": "write = instead",
    "°": "angles are in radians: write x*pi/180",
    "±": "an uncertainty belongs to the value of an input: --x 1.0±0.1",
    "∧": "write a*b for “and”: comparisons are 1 or 0",
    "∨": "write max(a, b) for “or”: comparisons are 1 or 0",
    "¬": "write 1 - x for “not”",
}

MODULES = frozenset({"np", "numpy", "math", "torch", "jnp", "jax", "tf", "cmath", "F", "nn", "scipy", "sp", "anp"})

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n"))


def explain(piece: Piece, position: int, program: Program) -> GradcalcError:
    """The diagnostic for a statement that cannot be read beyond a position."""
    return _Case(piece, position, program).explain()


class _Case:
    """One failed statement: its words, and the first of them that does not fit."""

    def __init__(self, piece: Piece, position: int, program: Program) -> None:
        self.block = piece.block
        self.text = piece.block.text
        self.program = program
        self.words = machine().words(self.text, piece.start, piece.end)
        self.at = next((n for n, word in enumerate(self.words) if word[1] >= position), len(self.words))
        self.brackets = self._open_brackets()

    def _open_brackets(self) -> list[int]:
        found: list[int] = []
        for number in range(self.at):
            kind = self.kind(number)
            if kind in ("LPAR", "LSQB"):
                found.append(number)
            elif kind in CLOSING and found:
                found.pop()
        return found

    # Looking around

    def kind(self, number: int) -> str:
        """The kind of a word; "" before the first, "END" behind the last."""
        if number < 0:
            return ""
        return self.words[number][0] if number < len(self.words) else "END"

    def word(self, number: int) -> str:
        """A word itself."""
        if not 0 <= number < len(self.words):
            return ""
        _, start, end = self.words[number]
        return self.text[start:end]

    def adjacent(self, number: int) -> bool:
        """Whether nothing stands between a word and the one before it."""
        return 0 < number < len(self.words) and self.words[number - 1][2] == self.words[number][1]

    def source(self, first: int, last: int) -> str:
        """The source from one word to another, both included."""
        return " ".join(self.text[self.words[first][1] : self.words[last][2]].split()) if first <= last < len(self.words) else ""

    def operand_before(self, number: int) -> int:
        """The first word of the operand that ends just before a word: a name, a number, a call, brackets."""
        first = number - 1
        while first > 0 and self.kind(first) == "TRANSPOSE":
            first -= 1
        while first >= 0 and self.kind(first) in CLOSING:
            depth = 0
            while first >= 0:
                depth += (self.kind(first) in CLOSING) - (self.kind(first) in CLOSING.values())
                if depth == 0:
                    break
                first -= 1
            if first > 0 and self.kind(first - 1) in ("NAME", "RPAR", "RSQB"):
                if self.kind(first - 1) == "NAME":
                    return first - 1
                first -= 1
            else:
                break
        return max(first, 0)

    def operand_behind(self, number: int) -> int:
        """The last word of the operand that begins with a word."""
        last = number
        if self.kind(last) in OPERATORS and last + 1 < len(self.words):
            last += 1
        if self.kind(last) == "NAME" and self.kind(last + 1) == "LPAR":
            last += 1
        if self.kind(last) in ("LPAR", "LSQB"):
            depth = 0
            while last < len(self.words):
                depth += (self.kind(last) in CLOSING.values()) - (self.kind(last) in CLOSING)
                if depth == 0:
                    break
                last += 1
        return min(last, len(self.words) - 1)

    def place(self, first: int, last: int | None = None) -> Place:
        """The place of a word, or from one to another; behind the last word, the place just after it."""
        if first >= len(self.words):
            end = self.words[-1][2] if self.words else 0
            return self.block.place(end, end + 1)
        return self.block.place(self.words[first][1], self.words[first if last is None else last][2])

    def error(self, message: str, first: int, last: int | None = None, remedy: str = "") -> GradcalcError:
        """A diagnostic under some words."""
        return ProgramSyntaxError(message, place=self.place(first, last), remedy=remedy)

    # What may be wrong, most telling first

    def explain(self) -> GradcalcError:
        """The first explanation that fits."""
        attempts: list[Callable[[], GradcalcError | None]] = [
            self.nothing,
            self.statement_of_another_language,
            self.odd_name,
            self.bad_number,
            self.odd_character,
            self.attribute,
            self.equals,
            self.operator_of_another_language,
            self.missing_operand,
            self.missing_operator,
            self.comma,
            self.colon,
            self.string,
        ]
        for attempt in attempts:
            found = attempt()
            if found is not None:
                return found
        return self.error(f"{self.word(self.at) or 'the end'} cannot stand here", self.at)

    def nothing(self) -> GradcalcError | None:
        return None if self.words else self.error("there is nothing to calculate here", 0)

    def statement_of_another_language(self) -> GradcalcError | None:
        first, second = self.word(0), self.kind(1)
        if self.at == 0 or self.kind(0) != "NAME":
            return self._inner_word_of_another_language()
        if first in ("let", "var", "const", "local", "set", "double", "float", "auto", "val") and second == "NAME":
            return self.error(f"{first} is not needed", 0, remedy=f"write {self.source(1, len(self.words) - 1)}")
        if first in ("print", "return", "echo", "eval", "calc", "show") and second in OPERAND_STARTS - {"LPAR"}:
            rest = self.source(1, len(self.words) - 1)
            return self.error(f"{first} is not needed: a bare expression is an output", 0, remedy=f"write {rest}")
        if first in ("def", "function", "fn", "func") and second == "NAME":
            return self.error(f"{first} is not needed", 0, remedy="a gate is defined by f(x, y) = x*y + sin(x)")
        if first in ("import", "from", "using", "include") and second == "NAME":
            return self.error("there is nothing to import", 0, remedy="gradcalc gates lists every gate there is")
        if first in ("for", "while", "repeat") and self.at == 1 and second in ("NAME", "NUMBER"):
            return self.error("there are no loops", 0, remedy="gates work on whole arrays: write sum(x^2), for example")
        if first in ("if", "when") and self.at <= 2 and second in OPERAND_STARTS - {"LPAR"}:
            return self.error("there is no if statement", 0, remedy="write where(condition, a, b)")
        return self._inner_word_of_another_language()

    def _inner_word_of_another_language(self) -> GradcalcError | None:
        before, word = self.word(self.at - 1), self.word(self.at)
        if before == "lambda" and self.kind(self.at) in ("NAME", "COLON"):
            return self.error("there is no lambda", self.at - 1, remedy="define a gate: f(x) = x^2")
        if self.kind(self.at) != "NAME" or self.kind(self.at - 1) not in OPERAND_ENDS:
            if before in ("not", "and", "or") and self.kind(self.at) in OPERAND_STARTS:
                return self._logic(before, self.at - 1)
            return None
        if before == "not":
            return self._logic(before, self.at - 1)
        if word in ("and", "or", "not", "AND", "OR", "xor"):
            return self._logic(word, self.at)
        if word == "if":
            return self.error("there is no “a if condition else b”", self.at, remedy="write where(condition, a, b)")
        if word in ("is", "in", "mod", "div", "over", "times", "plus", "minus"):
            sign = {"is": "==", "mod": "%", "over": "/", "div": "/", "times": "*", "plus": "+", "minus": "-"}.get(word)
            remedy = f"write {sign} instead" if sign else "compare with < <= > >= == !="
            return self.error(f"{word} is not an operator", self.at, remedy=remedy)
        return None

    def _logic(self, word: str, at: int) -> GradcalcError:
        lowered = word.lower()
        after = at + 1
        right = self._clause_behind(after) if after < len(self.words) else "b"
        left = self._clause_before(at) or "a"
        remedy = {
            "and": f"write {_bracketed(left)}*{_bracketed(right)}",
            "or": f"write max({left}, {right})",
            "not": f"write 1 - {_bracketed(right)}",
        }.get(lowered, "write (a != b)")
        return self.error(f"{word} is not an operator: comparisons are 1 or 0", at, remedy=remedy)

    def _clause_behind(self, first: int) -> str:
        """From a word to the next word that ends a condition."""
        last, depth = first, 0
        for number in range(first, len(self.words)):
            kind = self.kind(number)
            depth += (kind in CLOSING.values()) - (kind in CLOSING)
            if depth < 0 or (depth == 0 and (kind in ("COMMA", "?") or self.word(number) in ("and", "or", "if"))):
                break
            last = number
        return self.source(first, last)

    def _clause_before(self, behind: int) -> str:
        first, depth = behind, 0
        for number in range(behind - 1, -1, -1):
            kind = self.kind(number)
            depth += (kind in CLOSING) - (kind in CLOSING.values())
            if depth < 0 or (depth == 0 and (kind in ("COMMA", "EQUAL", "?") or self.word(number) in ("and", "or"))):
                break
            first = number
        return self.source(first, behind - 1) if first < behind else ""

    def odd_name(self) -> GradcalcError | None:
        """A word beyond ASCII that is no name, such as a dash or a raised number."""
        for number in (self.at - 1, self.at):
            word = self.word(number)
            if self.kind(number) == "NAME" and not (word.isascii() or word.isidentifier()):
                before = self.word(number - 1) if self.adjacent(number) and self.kind(number - 1) == "NUMBER" else ""
                return explain_name(self.block, word, self.words[number][1], before)
        return None

    def odd_character(self) -> GradcalcError | None:
        """A character that is no word of the language."""
        if self.kind(self.at) != "?":
            return None
        character, after = self.word(self.at), self.word(self.at + 1)
        if character == "." and self.kind(self.at) == "?":
            return None
        twice = self.adjacent(self.at + 1) and after == character
        operand_before = self.kind(self.at - 1) in OPERAND_ENDS
        if twice and character in "&|":
            name, remedy = ("&&", "a*b") if character == "&" else ("||", "max(a, b)")
            left, right = self._clause_before(self.at), self._clause_behind(self.at + 2)
            if left and right:
                remedy = f"{_bracketed(left)}*{_bracketed(right)}" if character == "&" else f"max({left}, {right})"
            return self.error(f"{name} is not an operator: comparisons are 1 or 0", self.at, self.at + 1, f"write {remedy}")
        if character == "|" and not operand_before:
            closing = next((n for n in range(self.at + 1, len(self.words)) if self.word(n) == "|"), None)
            if closing is not None and closing > self.at + 1:
                inside = self.source(self.at + 1, closing - 1)
                return self.error("bars do not mean anything here", self.at, closing, f"write abs({inside})")
        if character == "!" and operand_before:
            inside = self.source(self.operand_before(self.at), self.at - 1)
            return self.error("there is no factorial", self.at, remedy=f"for a fixed number write prod(arange(1, {inside} + 1))")
        if character == "!" and self.kind(self.at + 1) in OPERAND_STARTS:
            inside = self.source(self.at + 1, self.operand_behind(self.at + 1))
            return self.error("! is not an operator: comparisons are 1 or 0", self.at, remedy=f"write 1 - {inside}")
        if character == "√" and self.kind(self.at + 1) in OPERAND_STARTS:
            inside = self.source(self.at + 1, self.operand_behind(self.at + 1))
            return self.error("√ is not an operator", self.at, remedy=f"write sqrt({_unbracketed(inside)})")
        if character == "$" and self.kind(self.at + 1) == "NAME" and self.adjacent(self.at + 1):
            return self.error(f"{CHARACTERS['$']}", self.at, remedy=f"write {self.word(self.at + 1)}")
        return character_error(self.block, self.words[self.at][1])

    def attribute(self) -> GradcalcError | None:
        """A dot that is not `.T`."""
        if self.word(self.at) != "." or self.kind(self.at) != "?":
            return None
        name, before = self.word(self.at + 1), self.word(self.at - 1)
        if self.kind(self.at + 1) != "NAME":
            return self.error("this dot belongs to no number", self.at, remedy="a number looks like 1.5 or .5")
        if self.kind(self.at - 1) == "NAME" and before in MODULES:
            known = name if name in REGISTRY else nearest(name, REGISTRY)
            call = f"write {known}(…)" if known else "gradcalc gates lists every gate there is"
            return self.error("gates have no module before them", self.at - 1, self.at + 1, call)
        if self.kind(self.at - 1) not in OPERAND_ENDS:
            return self.error("this dot belongs to no number", self.at, remedy="a number looks like 1.5 or .5")
        operand = self.source(self.operand_before(self.at), self.at - 1)
        if name in ("t", "transpose", "Т"):
            remedy = f"write {operand}.T for the transpose"
        elif name in REGISTRY:
            remedy = f"write {name}({operand})"
        elif name == "gc":
            remedy = f"a file is run by -f {operand}.gc"
        elif name == "shape":
            remedy = "the shapes are in the table of eval; size(x) is the number of elements"
        else:
            remedy = f"only {operand}.T, the transpose, is written with a dot"
        return self.error(f".{name} means nothing here", self.at, self.at + 1, remedy)

    def equals(self) -> GradcalcError | None:
        """An `=` where none can be."""
        if self.kind(self.at) != "EQUAL":
            return None
        before = self.kind(self.at - 1)
        if self.brackets:
            if before in OPERATORS | {"EQUAL"} or (self.adjacent(self.at) and self.kind(self.at - 1) == "?"):
                return None
            if before in ("LPAR", "LSQB", "COMMA"):
                return self.error("a name is missing before =", self.at)
            return self.error(
                "= gives a value to the argument of a gate, whose name stands before it",
                self.at,
                remedy="write == to compare",
            )
        if self.at == 0:
            return self.error("a name is missing before =", self.at, remedy="write NAME = EXPRESSION")
        if before == "COMPARISON" and self.adjacent(self.at):
            return self.error(f"{self.word(self.at - 1)}= is not an operator", self.at - 1, self.at, "compare with < <= > >= == !=")
        if before == "COLON" or self.kind(self.at - 1) == "?":
            return None
        if before in OPERATORS and self.adjacent(self.at):
            return self._augmented(self.at - 1)
        if before in OPERATORS:
            return None
        right = self.source(self.at + 1, len(self.words) - 1)
        equals = [n for n in range(self.at) if self.kind(n) == "EQUAL"]
        if equals:
            left = self.source(0, equals[0] - 1)
            middle = self.source(equals[0] + 1, self.at - 1)
            chain = f"write {middle} = {right}; {left} = {middle}" if middle.isidentifier() else "write two statements"
            return self.error("a statement has one =", self.at, remedy=f"{chain}, or == to compare")
        left = self.source(0, self.at - 1)
        if self.at == 1 and self.kind(0) == "NUMBER":
            remedy = f"write {right} = {left}" if right.isidentifier() else "write == to compare"
            return self.error("a number cannot be given a value", 0, remedy=remedy)
        if self.kind(self.at - 1) == "RSQB":
            return self.error("elements cannot be assigned", 0, self.at - 1, "write a whole new array under a new name")
        return self.error(
            "only a name can stand before =", 0, self.at - 1, f"write NAME = {right}, or {left} == {right} to compare"
        )

    def _augmented(self, operator: int) -> GradcalcError:
        name, sign = self.source(0, operator - 1), self.word(operator)
        right = self.source(operator + 2, len(self.words) - 1)
        remedy = f"write {name}2 = {name} {sign} {right}" if name.isidentifier() and right else ""
        return self.error(f"{sign}= is not an operator: a name keeps its value", operator, operator + 1, remedy)

    def bad_number(self) -> GradcalcError | None:
        """A number with something stuck to it."""
        if self.kind(self.at - 1) != "NUMBER" or not self.adjacent(self.at):
            return None
        if self.kind(self.at) == "LPAR" and self.kind(self.at - 2) == "POWER" and self.word(self.at - 3) in REGISTRY:
            gate, power = self.word(self.at - 3), self.word(self.at - 1)
            arguments = self.source(self.at, self.operand_behind(self.at))
            remedy = f"write {gate}{arguments}^{power}"
            return self.error("a power stands behind the brackets of a gate", self.at - 2, self.at - 1, remedy)
        start = self.words[self.at - 1][1]
        found = re.compile(r"[\w.]+").match(self.text, start)
        whole = found[0] if found else ""
        place = self.block.place(start, start + len(whole))
        number, after = self.word(self.at - 1), self.word(self.at)
        remedy = ""
        if re.fullmatch(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+", whole):
            message = "numbers are decimal"
            remedy = f"write {int(whole.replace('_', ''), 0)}"
        elif re.fullmatch(r"[\d_.]*_[\d_.]*", whole):
            message = "an underscore stands between two digits"
            remedy = f"write {re.sub('_+', '_', whole).strip('_')}"
        elif re.fullmatch(r"[\d.]+[eE]", whole) and self.kind(self.at + 1) not in ("LPAR",):
            message = f"this number has no exponent after {whole[-1]}"
            remedy = f"write {number}e0, or {number}*e for Euler's number"
        elif re.fullmatch(r"\d+\.T", whole):
            message = ".T is for arrays: a number is its own transpose"
            remedy = f"write {whole[:-2]}"
        elif re.fullmatch(r"[\d.]+[jJi]", whole):
            message = "all numbers are real"
            remedy = f"write {number}*{after} if {after} is a name"
        elif ".." in whole:
            message = "a range is not a number"
            remedy = f"ranges are values of inputs: --x {whole}"
        elif re.fullmatch(r"[\d.]*\.[\d.]*\.[\d.]*", whole):
            message = "this number has more than one point"
            remedy = "write one point, and no separators of thousands but _"
        elif self.kind(self.at) in ("NAME", "LPAR", "LSQB"):
            last = self.operand_behind(self.at)
            message = "an operator is missing behind the number"
            operand = self.source(self.at, last)
            tail = self.at + 1
            if self.kind(self.at) == "NAME" and self.kind(tail) == "LPAR" and after not in REGISTRY and last > tail:
                operand = after
            return self.error(message, self.at - 1, self.at, f"to multiply, write {number}*{operand}")
        else:
            return None
        return ProgramSyntaxError(message, place=place, remedy=remedy)

    def operator_of_another_language(self) -> GradcalcError | None:
        """Two operators that belong together elsewhere."""
        if not self.adjacent(self.at) and not self.adjacent(self.at + 1):
            return None
        pair = self.word(self.at - 1) + self.word(self.at)
        first = self.at - 1
        if self.adjacent(self.at):
            if pair == "//":
                left = self.source(self.operand_before(first), first - 1) if first else "a"
                right = self.source(self.at + 1, self.operand_behind(self.at + 1)) if self.at + 1 < len(self.words) else "b"
                return self.error("// is not an operator", first, self.at, f"write floor({left}/{right})")
            if pair in ("=<", "=>", "<>", "=!"):
                wanted = {"=<": "<=", "=>": ">=", "<>": "!=", "=!": "!="}[pair]
                return self.error(f"{pair} is not an operator", first, self.at, f"write {wanted}")
            if pair == ":=":
                return self.error(":= is not an operator", first, self.at, "write =")
            if pair in ("<<", ">>"):
                sign = "*" if pair == "<<" else "/"
                return self.error(f"{pair} is not an operator", first, self.at, f"write a{sign}2^b")
            if pair == "->":
                return self.error("-> is not an operator", first, self.at, "define a gate: f(x) = x^2")
            if self.kind(first) == "COMPARISON" and self.kind(self.at) == "COMPARISON":
                return self.error(f"{pair} is not an operator", first, self.at, "compare with < <= > >= == !=")
        if self.kind(self.at) == "COLON" and self.word(self.at + 1) == "=" and self.adjacent(self.at + 1):
            return self.error(":= is not an operator", self.at, self.at + 1, "write =")
        if self.kind(self.at) == "EQUAL" and self.kind(self.at + 1) == "COMPARISON":
            return self.error(f"{self.word(self.at)}{self.word(self.at + 1)} is not an operator", self.at, self.at + 1)
        if self.word(self.at) == ">" and self.word(self.at - 1) == "-":
            return self.error("-> is not an operator", self.at - 1, self.at, "define a gate: f(x) = x^2")
        return None

    def missing_operand(self) -> GradcalcError | None:
        """Something should stand before this word."""
        kind, before = self.kind(self.at), self.kind(self.at - 1)
        last = self.at - 1
        ends = kind in ("END", "RPAR", "RSQB", "COMMA", "COLON", "EQUAL", "ELLIPSIS") or kind in OPERATORS
        if before in OPERATORS and ends:
            return self._operand_after(last)
        if before == "EQUAL" and (ends or kind == "STRING"):
            if kind == "STRING":
                return None
            words = "an argument is missing after =" if self.brackets else "an expression is missing after ="
            return self.error(words, last)
        if before == "LPAR" and kind == "RPAR":
            if self._is_head(last):
                name = self.word(last - 1)
                return self.error(f"the gate {name} has no parameters", last, self.at, f"write {name} = …, or {name}(x) = …")
            return self.error("there is nothing in these brackets", last, self.at, "write an expression in them")
        if before == "LSQB" and kind == "RSQB":
            operand = self.source(self.operand_before(last), last - 1)
            return self.error("an index is missing", last, self.at, f"write {operand}[0], for example")
        if kind == "COMMA" and before in ("LPAR", "LSQB", "COMMA"):
            what = "a parameter" if self._in_head() else "an argument" if self._in_call() else "an element"
            if self._is_index():
                what = "an index"
            return self.error(f"{what} is missing before this comma", self.at)
        if kind == "TRANSPOSE" and before not in OPERAND_ENDS:
            return self.error("an operand is missing before .T", self.at)
        if kind in OPERATORS and before in ("", "LPAR", "LSQB", "COMMA", "EQUAL", "COLON"):
            return self.error(f"an operand is missing before {self.word(self.at)}", self.at, remedy=self._sign())
        if kind == "END" and before == "COMMA":
            return self.error("a comma ends nothing here", last, remedy="write [a, b] for an array, or remove the comma")
        if kind in CLOSING and before not in OPERAND_ENDS:
            return self.error(f"an operand is missing before {self.word(self.at)}", self.at)
        return None

    def _sign(self) -> str:
        return "a name needs no @ before it" if self.word(self.at) == "@" else ""

    def _operand_after(self, operator: int) -> GradcalcError:
        sign = self.word(operator)
        before = self.word(operator - 1) if self.adjacent(operator) else ""
        if self.at == len(self.words) or self.kind(self.at) in CLOSING:
            if sign == before and sign in "+-":
                name = self.source(self.operand_before(operator - 1), operator - 2)
                return self.error(
                    f"{sign}{sign} is not an operator: a name keeps its value",
                    operator - 1,
                    operator,
                    f"write {name} {sign} 1",
                )
            if sign == "%" and self.kind(operator - 1) == "NUMBER":
                return self.error(
                    "an operand is missing after %",
                    operator,
                    remedy=f"% is the remainder; for percent write {self.word(operator - 1)}/100",
                )
        if self.at == len(self.words):
            remedy = "" if self.block.alone else "to go on in the next line, put the expression in brackets"
            return self.error(f"an operand is missing after {sign}", operator, remedy=remedy)
        if self.kind(self.at) == "EQUAL" and self.adjacent(self.at):
            return self._augmented(operator)
        if self.kind(self.at) in OPERATORS:
            return self.error(f"an operand is missing between {sign} and {self.word(self.at)}", operator, self.at)
        return self.error(f"an operand is missing after {sign}", operator)

    def _in_call(self) -> bool:
        """Whether the innermost open bracket holds arguments."""
        return bool(self.brackets) and self.kind(self.brackets[-1]) == "LPAR" and self.kind(self.brackets[-1] - 1) == "NAME"

    def _is_index(self) -> bool:
        """Whether the innermost open bracket holds an index."""
        return bool(self.brackets) and self.kind(self.brackets[-1]) == "LSQB" and self.kind(self.brackets[-1] - 1) in OPERAND_ENDS

    def _is_head(self, opening: int) -> bool:
        """Whether a bracket opens the parameters of a definition."""
        if opening != 1 or self.kind(0) != "NAME":
            return False
        closing = self.operand_behind(opening)
        return self.kind(closing) == "RPAR" and self.kind(closing + 1) == "EQUAL"

    def _in_head(self) -> bool:
        return bool(self.brackets) and self._is_head(self.brackets[-1])

    def missing_operator(self) -> GradcalcError | None:
        """Two operands with nothing between them."""
        kind, before = self.kind(self.at), self.kind(self.at - 1)
        if self._in_head() and kind != "COMMA":
            return self.error(
                "the parameters of a gate are plain names" if kind != "NAME" else "a comma is missing here",
                self.at,
                remedy="define it as f(x, y) = x*y, and call it with any expressions",
            )
        if before not in OPERAND_ENDS or kind not in OPERAND_STARTS:
            return None
        first, last = self.operand_before(self.at), self.operand_behind(self.at)
        left, right = self.source(first, self.at - 1), self.source(self.at, last)
        both = self.at - 1, self.at
        name = self.word(self.at - 1)
        takes_text = any(a.kind == "text" for record in REGISTRY.get(name, ()) for a in record.attributes)
        if before == "NAME" and kind == "STRING" and takes_text:
            return self.error("brackets are missing", *both, f"write {self.word(self.at - 1)}({right})")
        if kind == "STRING" or before == "STRING":
            return self.string()
        if before == "NAME" and kind in ("NAME", "NUMBER") and name in REGISTRY and name not in self.program.names:
            return self.error(f"the argument of {name} belongs in brackets", *both, f"write {name}({right})")
        inside = self.kind(self.brackets[-1]) if self.brackets else ""
        if inside == "LSQB" and not self._is_index():
            return self.error("a comma or an operator is missing between these two", *both, f"write {left}, {right}")
        if self._in_call():
            return self.error(
                "a comma or an operator is missing between these two",
                *both,
                f"write {left}, {right}, or {left}*{right} to multiply",
            )
        remedy = f"to multiply, write {left}*{right}"
        if not self.brackets and before != "NUMBER" and kind != "LPAR":
            remedy += "; to end a statement, write ; or a new line"
        return self.error("an operator is missing between these two", *both, remedy)

    def comma(self) -> GradcalcError | None:
        """A comma outside a list."""
        if self.kind(self.at) != "COMMA":
            return None
        if self.kind(self.at - 1) == self.kind(self.at + 1) == "NUMBER" and self.adjacent(self.at) and self.adjacent(self.at + 1):
            left, right = self.word(self.at - 1), self.word(self.at + 1)
            remedy = f"for a decimal number write {left}.{right}, for an array [{left}, {right}]"
            if re.fullmatch(r"[1-9]\d{0,2}", left) and re.fullmatch(r"\d{3}(\.\d*)?", right):
                # 1,000,000: every group of three behind the first belongs to the number.
                digits, number = left + right, self.at + 1
                while self.word(number + 1) == "," and re.fullmatch(r"\d{3}(\.\d*)?", self.word(number + 2)):
                    digits += self.word(number + 2)
                    number += 2
                grouped = self.source(self.at - 1, number).replace(" ", "").replace(",", "_")
                remedy = f"for thousands write {digits} or {grouped}"
                remedy += f", for a decimal number {left}.{right}" if number == self.at + 1 and "." not in right else ""
            return self.error("a comma separates the elements of a list", self.at, remedy=remedy)
        if self.brackets:
            opening = self.brackets[-1]
            closing = self.operand_behind(opening)
            inside = self.source(opening + 1, closing - 1)
            return self.error("round brackets hold one expression", self.at, remedy=f"for an array write [{inside}]")
        equal = next((n for n in range(self.at) if self.kind(n) == "EQUAL"), None)
        if equal is None and any(self.kind(n) == "EQUAL" for n in range(self.at, len(self.words))):
            return self.error("a statement gives a value to one name", self.at, remedy="write a = 1; b = 2")
        first = 0 if equal is None else equal + 1
        whole = self.source(first, len(self.words) - 1).rstrip(",")
        return self.error("a comma cannot stand here", self.at, remedy=f"write ; between statements, or [{whole}] for an array")

    def colon(self) -> GradcalcError | None:
        """Words that belong in an index, a list or at the end of a statement."""
        kind = self.kind(self.at)
        if kind == "COLON":
            if self.kind(0) == "NAME" and self.word(0) in ("if", "for", "while", "def", "else", "elif"):
                return self.error("there are no blocks of statements", 0, remedy="write where(condition, a, b) to choose")
            if "?" in (self.word(n) for n in range(self.at)):
                return self.error("there is no “condition ? a : b”", self.at, remedy="write where(condition, a, b)")
            if self._is_index():
                return self.error("an index has no more than a start, a stop and a step", self.at, remedy="such as x[1:9:2]")
            return self.error("a colon stands only in an index", self.at, remedy="such as x[1:3]")
        if kind == "ELLIPSIS":
            return self.error("... stands only in an index", self.at, remedy="such as x[..., 0]")
        return None

    def string(self) -> GradcalcError | None:
        """A text where a number belongs."""
        at = self.at if self.kind(self.at) == "STRING" else self.at - 1
        if self.kind(at) != "STRING":
            return None
        inside = self.word(at)[1:-1]
        remedy = f"write {inside} without quotes" if inside.isidentifier() else 'only a gate takes text: load("file.csv")'
        return self.error("a text is not a number", at, remedy=remedy)


def _bracketed(text: str) -> str:
    """A source text as an operand of `*`."""
    return text if re.fullmatch(r"[\w.]+|\([^()]*\)|\w+\([^()]*\)", text) else f"({text})"


def _unbracketed(text: str) -> str:
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


def character_error(block: Block, offset: int) -> GradcalcError:
    """The diagnostic of a character that means nothing in the language."""
    character = block.text[offset]
    place = block.place(offset, offset + 1)
    if character == ";":
        return ProgramSyntaxError(
            "a ; cannot stand inside brackets", place=place, remedy="rows of an array are lists: [[1, 2], [3, 4]]"
        )
    named = character
    if not character.isascii():
        named = f"{character} ({unicodedata.name(character, 'unnamed')}, U+{ord(character):04X})"
    return ProgramSyntaxError(f"{named} is not part of the language", place=place, remedy=CHARACTERS.get(character, ""))


def explain_name(block: Block, name: str, start: int, number: str = "") -> GradcalcError:
    """The diagnostic of a word with a character that no name may have; `number` is what stands just before it."""
    good = 0
    while good < len(name) and name[: good + 1].isidentifier():
        good += 1
    good = min(good, len(name) - 1)
    character, before = name[good], name[:good]
    if character in SUPERSCRIPTS:
        end = good
        while end < len(name) and name[end] in SUPERSCRIPTS:
            end += 1
        power = "".join(SUPERSCRIPTS[letter] for letter in name[good:end])
        return ProgramSyntaxError(
            "a raised number is not read as a power",
            place=block.place(start + good, start + end),
            remedy=f"write {before or number}^{power}",
        )
    if not character.isascii() and unicodedata.category(character) == "No":
        subscripts = re.match("[\u2080-\u2089]+", name[good:])
        if subscripts is not None and before:
            return ProgramSyntaxError(
                "a lowered digit cannot be part of a name",
                place=block.place(start + good, start + good + subscripts.end()),
                remedy=f"write {before}{unicodedata.normalize('NFKC', subscripts[0])}",
            )
        value = unicodedata.numeric(character, 0.0)
        return ProgramSyntaxError(
            f"{character} is not a number here",
            place=block.place(start + good, start + good + 1),
            remedy=f"write {value:g}",
        )
    if before == "" and character == "√" and len(name) > 1:
        place = block.place(start, start + 1)
        return ProgramSyntaxError("√ is not an operator", place=place, remedy=f"write sqrt({name[1:]})")
    if before == "" and character in "∂∇" and len(name) > 1:
        return character_error(block, start)
    return character_error(block, start + good)


def unknown_gate(name: str, place: Place, brackets: str, variable: bool, own: Iterable[str]) -> GradcalcError:
    """The diagnostic of a call of a gate that does not exist."""
    close = nearest(name, [*(gate for gate in (*REGISTRY, *REGISTRY.aliases) if gate.isidentifier()), *own])
    if variable:
        inside = " ".join(brackets.split())
        product = f"{name}*{inside}" if len(inside) <= 40 else f"{name}*(…)"
        remedy = f"to multiply, write {product}"
        if close is not None:
            remedy += f"; or did you mean the gate {close}?"
        return NameProblem(f"{name} is a value, not a gate", place=place, remedy=remedy)
    if name in ("factorial", "fact", "gamma"):
        inside = " ".join(brackets.split())[1:-1] or "n"
        inside = inside if re.fullmatch(r"[\w.]+", inside) else f"({inside})"
        written = f"prod(arange(1, {inside} + 1))" if name != "gamma" else f"prod(arange(1, {inside}))"
        remedy = f"for a fixed whole number write {written if len(written) < 80 else 'prod(arange(1, n + 1))'}"
    elif name in OTHER_SPELLINGS:
        remedy = f"write {OTHER_SPELLINGS[name]}"
    elif close is not None:
        remedy = f"did you mean {close}?"
    else:
        remedy = f"gradcalc gates lists every gate; to multiply, write {name}*(…)"
    return NameProblem(f"there is no gate named {name}", place=place, remedy=remedy)
