"""The usual slips: each is named where it explains a wrong claim at every point, and nothing is named where nothing does."""

from __future__ import annotations

import pytest

from tests.checking.test_claims import verify

SLIPS = [
    ("cos(x)*y", "x", "sin(x)*y", "the sign is wrong"),
    ("sin(x^2)", "x", "cos(x^2)", "the inner derivative is missing: 2*x, the derivative of x^2"),
    ("exp(3*x)", "x", "exp(3*x)", "the inner derivative is missing: 3, the derivative of 3*x"),
    ("log(x^2 + 1)", "x", "1/(x^2 + 1)", "the inner derivative is missing: 2*x"),
    ("sigmoid(a*x + b)", "a", "sigmoid(a*x+b)*(1-sigmoid(a*x+b))", "the inner derivative is missing: x"),
    ("sin(x^2)", "x", "2*x", "the factor from above is missing: this is the derivative of x^2 alone"),
    ("(a+b)/(c+d)", "c", "-1/(c+d)^2", "the factor a + b from above is missing"),
    ("q = x + y; f = q*z", "x", "1", "the factor from above is missing: this is the derivative of q alone"),
    ("x^2/y", "x", "2*y/x", "x and y are swapped in it"),
    ("x^2*y", "x", "x^2", "this is the derivative by y, not by x"),
    ("x^2*y", "x", "2*y", "this is the second derivative"),
    ("x^5", "x", "x^4", "the factor 5 is missing, the exponent of x^5"),
    ("x^5", "x", "5*x^5", "the exponent is not lowered by one"),
    ("square(x)*y", "x", "x*y", "the factor 2 is missing"),
    ("2^x", "x", "x*2^(x-1)", "the power rule does not hold for a power whose exponent varies"),
    ("2^x", "x", "2^x", "the factor log(2) is missing"),
    ("x^x", "x", "x*x^(x-1)", "the power rule does not hold where the exponent varies, too"),
    ("x^3*sin(x)", "x", "3*x^2*cos(x)", "the derivative of a product was taken as the product of the derivatives"),
    ("x^3*sin(x)", "x", "3*x^2*sin(x)", "a part of the product rule is missing"),
    ("x^2/sin(x)", "x", "2*x/cos(x)", "the derivative of a quotient was taken as the quotient of the derivatives"),
    ("x^2/sin(x)", "x", "(2*x*sin(x)+x^2*cos(x))/sin(x)^2", "the quotient rule has a minus between its terms"),
    ("x^2/sin(x)", "x", "(2*x*sin(x)-x^2*cos(x))/sin(x)", "the denominator is not squared in the quotient rule"),
    ("x^2/sin(x)", "x", "2*x*sin(x)-x^2*cos(x)", "the squared denominator is missing in the quotient rule"),
    ("1 + x^2/sin(x)", "x", "(x^2*cos(x)-2*x*sin(x))/sin(x)^2", "the sign is wrong"),
    ("x + x^2/sin(x)", "x", "1 + (x^2*cos(x)-2*x*sin(x))/sin(x)^2", "the terms of the quotient rule are exchanged"),
    ("y/x", "x", "-y/x", "the denominator is not squared"),
    ("sqrt(x)", "x", "1/sqrt(x)", "the factor 1/2 is missing"),
    ("sin(x^2)", "x", "2*x*sin(x^2)", "sin(x^2) was left as it is instead of being differentiated"),
    ("x + sin(x^2)", "x", "1 - 2*x*cos(x^2)", "the sign is wrong"),
    ("p = x^2; q = x*y; p + q", "x", "2*x", "a part of the sum over the paths is missing: the one with the derivative of q"),
    ("square(3*x)", "x", "2*x", "a factor of 9 is missing, everywhere"),
    ("sin(x)", "x", "pi/180*cos(x)", "it is 0.01745329252 times the derivative, everywhere"),
    ("3*log(x)", "x", "3/x + 1", "it is 1 too large, everywhere"),
    ("tanh(x)", "x", "tanh(x)", "left as it is"),
    ("sin(x^2)", "x", "cos(2*x)", "the derivative of sin(x^2) was taken at the derivative of x^2, not at x^2, and not multiplied"),
    ("(x^2 + 1)^3", "x", "3*(2*x)^2*2*x", "the derivative of (x^2 + 1)^3 was taken at the derivative of x^2 + 1"),
    ("log(x)^2", "x", "2/x", "was taken at the derivative of log(x), not at log(x), and not multiplied by that"),
    ("sin(3*x)", "x", "3*cos(x)", "the derivative of sin(3*x) was taken at x, not at 3*x"),
    ("exp(2*x)", "x", "2*x*exp(2*x-1)", "the power rule does not hold for a power whose exponent varies"),
    ("x^-2", "x", "-2*x^-1", "the exponent is raised by one, not lowered"),
    ("sqrt(x)", "x", "x^(1/2)/2", "the exponent is not lowered by one"),
    ("x^2", "x", "x^3/3", "x^2 was integrated instead of being differentiated"),
    ("tanh(x)", "x", "1 + tanh(x)^2", "tanh has the derivative 1 - tanh^2, with a minus"),
    ("log10(x)", "x", "1/x", "the factor 1/log(10) is missing"),
    ("max(x, y)", "x", "1", "max hands the gradient on only where x is the larger"),
    ("x^x", "x", "x^x*log(x)", "the base varies, too"),
    ("x^2*sin(x)*exp(x)", "x", "2*x*sin(x)*exp(x) + x^2*cos(x)*exp(x)", "a part of the product rule is missing: the one with"),
    ("x*y^2", "x,y", "y^2", "this is the first derivative, by x"),
    ("x*y^2", "y,y", "-2*x", "the sign is wrong"),
]


@pytest.mark.parametrize(("text", "by", "claim", "words"), SLIPS)
def test_a_slip_is_named(text: str, by: str, claim: str, words: str) -> None:
    (result,) = verify(text, (by, claim)).claims
    assert result.verdict == "mismatch"
    assert any(words in hint for hint in result.hints), result.hints


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("sin(x^2)", "x^7 - 3"),
        ("x*y", "exp(x)"),
        ("x^2*y + sin(x)", "2*x*y + cos(x) + x*1e-6"),
        ("log(x)", "sin(x)"),
        ("abs(x)", "x"),
    ],
)
def test_nothing_is_named_where_nothing_fits(text: str, claim: str) -> None:
    (result,) = verify(text, ("x", claim)).claims
    assert result.verdict == "mismatch"
    assert result.hints == []


def test_a_claim_that_is_right_on_one_side_is_told() -> None:
    (result,) = verify("abs(x)*x", ("x", "2*x")).claims
    assert result.note == "it is right where x > 0, and wrong where x < 0"


@pytest.mark.parametrize(
    ("text", "given", "by", "claim", "words"),
    [
        ("mse(x, y)", {"x": [1, 2, 3], "y": [2, 2, 2]}, "x", "x - y", "it is 1.5 times the derivative"),
        ("sum(x^2)", {"x": [1, 2, 3]}, "x", "-2*x", "the sign is wrong"),
        ("sum(x @ y)", {"x": [[1, 2], [3, 4]], "y": [[1, 2], [3, 5]]}, "y", "outer(ones(2), sum(x, axis=0))", "transpose"),
        ("sum(A @ [x, y])", {"A": [[1, 2], [3, 4]], "x": 1, "y": 2}, "x", "sum(A[:, 1])", "this is the derivative by y, not by x"),
    ],
)
def test_slips_with_arrays(text: str, given: dict[str, object], by: str, claim: str, words: str) -> None:
    (result,) = verify(text, (by, claim), **given).claims
    assert result.verdict == "mismatch"
    assert any(words in hint for hint in result.hints), result.hints
