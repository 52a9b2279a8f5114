"""Results as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy

from gradcalc.views.csv import header_of, result_rows
from gradcalc.views.json import json_line, plain, result_document
from gradcalc.workspace import NodeReport, Result
from tests.views.samples import quotient, troubled


def test_json_is_one_line_of_the_schema() -> None:
    line = json_line(result_document(quotient()))
    assert line.count("\n") == 1
    document = json.loads(line)
    assert list(document) == ["schema", "output", "value", "gradients", "nodes", "verdict", "warnings"]
    assert document["schema"] == 1
    assert document["value"] == 3 / 7
    assert document["gradients"]["c"] == -3 / 49
    assert document["nodes"][2] == {
        "id": 2, "name": "a + b", "gate": "+", "inputs": [0, 1], "shape": [], "value": 3.0, "gradient": 1 / 7,
        "numerical": 1 / 7, "error_bar": 2e-15, "verdict": "ok",
    }  # fmt: skip


def test_json_at_kinks_has_the_slopes() -> None:
    kink = json.loads(json_line(result_document(troubled())))["nodes"][2]
    assert kink["slopes"] == [0.0, 1.0]
    assert kink["note"] == "a tie"
    assert kink["numerical"] is None


def test_json_has_null_for_what_was_not_measured() -> None:
    value = numpy.array([1.0, 2.0])
    drawn = numpy.array([math.nan, 2.0])
    nodes = [
        NodeReport(0, "x", True, "input", (), (2,), value, value, drawn, drawn),
        NodeReport(1, "y", True, "input", (), (), 1.0, 1.0, math.nan, math.nan, slopes=(math.nan, 1.0)),
    ]
    result = Result("x", value, (2,), {}, nodes, "off", "why")
    document = json.loads(json_line(result_document(result)))
    assert document["reason"] == "why"
    assert document["nodes"][0]["numerical"] == [None, 2.0]
    assert [document["nodes"][1][key] for key in ("numerical", "error_bar", "slopes")] == [None, None, [None, 1.0]]
    rows = list(csv.DictReader(io.StringIO(header_of(result) + result_rows(result))))
    assert rows[0]["numerical"] == "[nan, 2]"
    assert [rows[1][key] for key in ("numerical", "error_bar", "left", "right")] == ["", "", "", "1"]


def test_json_spells_what_is_not_finite() -> None:
    value = numpy.array([[math.inf, 1.0], [math.nan, -math.inf]])
    result = Result("x", value, (2, 2), {"x": math.nan}, [NodeReport(0, "x", True, "input", (), (2, 2), value)])
    document = json.loads(json_line(result_document(result)), parse_constant=lambda name: AssertionError(name))
    assert document["value"] == [["inf", 1.0], ["nan", "-inf"]]
    assert document["gradients"] == {"x": "nan"}
    assert document["nodes"][0]["value"] == document["value"]


def test_json_for_plain_terminals_is_ascii() -> None:
    assert json_line({"사과": 1.0}, unicode=False) == '{"\\uc0ac\\uacfc": 1.0}\n'
    assert json_line({"사과": 1.0}) == '{"사과": 1.0}\n'
    assert plain(numpy.array(2.5)) == 2.5


def test_csv_reads_back() -> None:
    text = header_of(quotient()) + result_rows(quotient()) + result_rows(troubled())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 12
    assert rows[6]["output"] == "(a + b)/(c + d)"
    assert rows[6]["inputs"] == "2 5"
    assert float(rows[6]["value"]) == 3 / 7
    assert rows[9]["name"] == "사과"
    assert rows[9]["numerical"] == ""
    assert (rows[9]["left"], rows[9]["right"]) == ("0", "1")


def test_csv_quotes_what_needs_it() -> None:
    value = numpy.array([1.0, 2.0])
    nodes = [NodeReport(0, 'max(a, "b")', False, "max", (), (2,), value, value)]
    row = next(csv.reader(io.StringIO(result_rows(Result("x", value, (2,), {}, nodes)))))
    assert row[2] == 'max(a, "b")'
    assert row[5:8] == ["2", "[1, 2]", "[1, 2]"]
