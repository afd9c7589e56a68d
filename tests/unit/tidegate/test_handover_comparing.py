import pytest

from edge_runtime.problems import FileProblemsError
from tidegate.edge.handover.comparing import DEFAULT_TOLERANCE, Tolerance, compare, parse_tolerance
from tidegate.edge.handover.expectations import read_expectations
from tidegate.edge.reading import PointRead

KNOWN = {"meter/voltage", "meter/tariff", "pump/running"}


def read(value, shown=None, quality="good", reason=""):
    return PointRead("p", value, str(value) if shown is None else shown, "V", quality, reason)


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("1 %", Tolerance(share=0.01)),
        ("2.5%", Tolerance(share=0.025)),
        ("0,5", Tolerance(absolute=0.5)),
    ],
)
def test_tolerances_are_read(text, tolerance):
    assert parse_tolerance(text) == tolerance


@pytest.mark.parametrize("text", ["", "%", "-1", "1 V", "nan", "1e3"])
def test_what_is_no_tolerance_says_so(text):
    with pytest.raises(ValueError, match="is no tolerance"):
        parse_tolerance(text)


@pytest.mark.parametrize(
    ("expected", "value", "fits"),
    [
        ("231.4", 231.4, True),
        ("231,4", 231.44, True),
        ("231", 233.2, True),
        ("231", 234.0, False),
        ("-5", -5.04, True),
        ("-5", 5.0, False),
        ("0", 0.4, True),
        ("0.0", 0.4, False),
    ],
)
def test_numbers_may_differ_by_tolerance_and_last_digit(expected, value, fits):
    assert compare(expected, read(value), DEFAULT_TOLERANCE).fits is fits


def test_the_difference_has_its_sign():
    assert compare("231", read(240.0), Tolerance(absolute=1)).difference == "+9"


@pytest.mark.parametrize(
    ("expected", "value", "fits"),
    [("on", True, True), ("0", False, True), ("off", True, False), ("maybe", False, False)],
)
def test_switches_are_words(expected, value, fits):
    assert compare(expected, read(value), DEFAULT_TOLERANCE).fits is fits


@pytest.mark.parametrize("expected", ["Day", "1"])
def test_labels_fit_by_word_and_by_number(expected):
    assert compare(expected, read(1, "day"), Tolerance()).fits


def test_texts_are_compared_as_they_are():
    assert compare("v1.2", read("V1.2"), Tolerance()).fits
    assert compare("7", read("8"), DEFAULT_TOLERANCE).difference == "reads 8"


def test_no_value_never_fits():
    comparison = compare("0", read(None, "-", "bad", "no_answer"), Tolerance(absolute=99))
    assert (comparison.fits, comparison.difference) == (False, "no value: no_answer")


# --- lists --------------------------------------------------------------------------------------


def test_a_yaml_list_is_read(tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text(
        "tolerance: 2 %\n"
        "points:\n"
        "  meter/voltage: {expected: 231.4, tolerance: 0.5, note: panel}\n"
        "  meter/tariff: day\n"
        "  pump/running: true\n"
    )
    found = read_expectations(path, KNOWN)
    assert found["meter/voltage"].tolerance == Tolerance(absolute=0.5)
    assert found["meter/tariff"].tolerance == Tolerance(share=0.02)
    assert found["pump/running"].expected == "on"


def test_problems_of_a_yaml_list_name_their_lines(tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text("points:\n  meter/voltag: 1\n  meter/tariff: {expected: a, tol: 1}\n")
    with pytest.raises(FileProblemsError) as caught:
        read_expectations(path, KNOWN)
    assert caught.value.problems[0].line == 3
    path.write_text("tolerance: much\npoints: {meter/voltag: 1}\n")
    with pytest.raises(FileProblemsError, match=r"e.yaml:1: tolerance: 'much' is no tolerance"):
        read_expectations(path, KNOWN)
    path.write_text("points:\n  meter/voltag: 1\n")
    with pytest.raises(FileProblemsError, match=r":2: .*did you mean 'meter/voltage'"):
        read_expectations(path, KNOWN)


@pytest.mark.parametrize("comma", [",", ";"])
def test_a_sheet_is_read(tmp_path, comma):
    path = tmp_path / "e.csv"
    rows = [
        "point,expected,tolerance,note",
        "meter/voltage,231.4,1 %,panel",
        "",
        "meter/tariff,day",
    ]
    path.write_text("\n".join(row.replace(",", comma) for row in rows), encoding="utf-8-sig")
    found = read_expectations(path, KNOWN)
    assert (found["meter/voltage"].note, found["meter/tariff"].expected) == ("panel", "day")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name,value\n", r"e.csv:1: expected the columns"),
        ("point,expected\nmeter/volt,1\n", r"e.csv:2: point: there is no point"),
        ("point,expected\nmeter/voltage,\n", r"e.csv:2: expected: is empty"),
        ("point,expected,tolerance\nmeter/voltage,1,x\n", r"e.csv:2: tolerance"),
        ("point,expected\nmeter/voltage,1\nmeter/voltage,2\n", r"e.csv:3: point: .*twice"),
        ("", r"e.csv:1: expected the columns"),
    ],
)
def test_problems_of_a_sheet_name_row_and_column(tmp_path, text, place):
    path = tmp_path / "e.csv"
    path.write_text(text)
    with pytest.raises(FileProblemsError, match=place):
        read_expectations(path, KNOWN)


def test_a_sheet_that_is_no_text_says_so(tmp_path):
    path = tmp_path / "e.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileProblemsError, match="not UTF-8"):
        read_expectations(path, KNOWN)
