import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from components.drivers import find_driver
from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblemsError
from edge_runtime.profiles.loader import built_in_folder
from tidegate.profiles.checking import read_profile
from tidegate.profiles.exporting import export_rows
from tidegate.profiles.importing import plan_import, write_import
from tidegate.profiles.opening import Options, open_points
from tidegate.profiles.references import Counting, protocol_address
from tidegate.profiles.sheet import column_name, read_sheet, write_csv, write_xlsx

HEAD = {
    "protocol": "modbus", "title": "A meter", "vendor": "Acme", "model": "M1",
    "document": "Acme M1 manual, revision A",
}  # fmt: skip
BUILT_IN = sorted(built_in_folder().glob("*.yaml"), key=str)
SHEET = "name,unit,table,address,type,scale,labels,kind\n"


@pytest.fixture
def sheet(tmp_path):
    def write(text, name="points.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def plan(sheet, tmp_path):
    def plan(text, *, counting=Counting.FROM_0, head=HEAD, name="points.csv"):
        points = open_points(sheet(text, name), Options(counting=counting))
        return plan_import(points, tmp_path / "meter.yaml", head, find_driver)

    return plan


@pytest.fixture
def problems(plan):
    def problems(text, **options):
        with pytest.raises(FileProblemsError) as caught:
            plan(text, **options)
        return [f"{p.line} {p.path}: {p.text}" for p in caught.value.problems]

    return problems


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("file", BUILT_IN, ids=lambda file: file.stem)
def test_what_is_exported_imports_without_a_change(file, suffix, tmp_path):
    rows = export_rows(read_profile(file, find_driver))
    path = tmp_path / f"sheet.{suffix}"
    path.write_bytes(write_csv(rows) if suffix == "csv" else write_xlsx(rows, "points"))
    assert plan_import(read_sheet(path), file, {}, find_driver).changes_nothing


def test_a_new_profile_can_be_used_and_imports_again_without_a_change(plan):
    text = SHEET + "power,W,input,12,float32,,,\nstate,,holding,5,,,0=off; 1=on,enumeration\n"
    planned = plan(text)
    assert planned.new
    assert [change.what for change in planned.changes] == ["added", "added"]
    assert write_import(planned) is None
    profile = read_profile(planned.file, find_driver)
    assert profile.points[1].labels == {0: "off", 1: "on"}
    assert profile.head.evidence == "from documentation"
    assert plan(text).changes_nothing


def test_a_folder_that_is_not_there_is_made(sheet, tmp_path):
    points = open_points(sheet("name,address\na,1\n"), Options())
    planned = plan_import(points, tmp_path / "profiles" / "meter.yaml", HEAD, find_driver)
    assert write_import(planned) is None
    assert read_profile(tmp_path / "profiles" / "meter.yaml", find_driver).points


def test_a_change_is_shown_field_by_field_and_the_profile_before_it_is_kept(plan):
    write_import(plan(SHEET + "power,W,input,12,float32,,,\ngone,,input,1,,,,\n"))
    before = plan(SHEET + "power,W,input,12,float32,,,\ngone,,input,1,,,,\n").file.read_text()
    planned = plan(SHEET + "power,kW,input,12,float32,0.001,,\nfresh,,input,3,,,,\n")
    assert [(c.what, c.name) for c in planned.changes] == [
        ("changed", "power"), ("added", "fresh"), ("removed", "gone"),
    ]  # fmt: skip
    assert planned.changes[0].fields == {"unit": ("W", "kW"), "scale": (None, 0.001)}
    assert write_import(planned).read_text() == before


def test_every_wrong_cell_is_named_by_row_and_column(problems):
    found = problems(SHEET + "power,W,input,twelve,float32,,,\nstate,,holding,5,,,0:off,\n")
    assert found == [
        "2 D2 address: found 'twelve'; expected a valid integer, unable to parse string as an integer",
        "3 G3 labels: found '0:off'; expected labels such as '0=off; 1=on'",
    ]


def test_a_name_that_comes_twice_names_both_rows(problems):
    [found] = problems("name,address\na,1\nb,2\na,3\n")
    assert found == "4 A4: the name 'a' stands in row 2 already"


def test_an_unknown_column_is_named_with_what_was_probably_meant(problems):
    [found] = problems("name,adress\na,1\n")
    assert found.startswith("1 B1: unknown column 'adress'; did you mean 'address'?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,address\n", "has a heading and no points below it"),
        ("address\n5\n", "the column 'name' is missing"),
        ("name,name\na,b\n", "'name' stands in column A already"),
        ("name,address\na,1,surplus\n", "found 'surplus' in a column without a heading"),
        ('name,address\n"a,1\n', "not CSV"),
        (b"\xd0\xcf\x11\xe0\0\0", "is neither CSV nor XLSX"),
        (b"PK\x03\x04 no archive", "not an XLSX file"),
        ("name,address\n" + "x" * 3_000 + ",1\n", "A2 has 3000 letters"),
    ],
)
def test_a_sheet_that_is_none_says_why(problems, text, said):
    assert said in problems(text)[0]


def test_an_archive_that_unfolds_into_too_much_is_not_read(problems):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (65 << 20))
    assert "unfolds into" in problems(data.getvalue())[0]


def test_columns_for_people_aliases_and_blank_rows_are_understood(plan):
    planned = plan("\nTag,Register,Units,#remark\n\npower,12,W,see page 7\n,,,\n")
    assert planned.points == 1
    assert "{name: power, unit: W, address: 12}" in planned.text


def test_a_sheet_with_semicolons_may_have_decimal_commas(plan):
    assert "scale: 0.1" in plan("name;address;scale\npower;12;0,1\n").text


def test_a_sheet_from_windows_may_have_its_letters(plan):
    assert "Kühlung" in plan("name,address,description\na,1,Kühlung\n".encode("cp1252")).text


def test_a_sheet_of_a_workbook_is_chosen_by_its_name(sheet):
    book = Workbook()
    book.active.title = "cover"
    book.create_sheet("points").append(["name", "address"])
    data = io.BytesIO()
    book.save(data)
    path = sheet(data.getvalue(), "book.xlsx")
    assert read_sheet(path, "points").heading.cells[:2] == ("name", "address")
    with pytest.raises(FileProblemsError, match="has no sheet 'pionts'; there are: cover, points"):
        read_sheet(path, "pionts")


def test_a_text_that_looks_like_a_formula_is_none_in_a_spreadsheet():
    rows = [["name", "description"], ["a", "=1+1"], ["b", "-5"]]
    assert write_csv(rows) == b"name,description\na,'=1+1\nb,-5\n"


def test_a_new_profile_needs_a_head(plan):
    with pytest.raises(SettingsError, match="a new profile needs --title --vendor"):
        plan("name,address\na,1\n", head={"protocol": "modbus", "model": "x", "document": "y"})


def test_an_unknown_protocol_is_named(plan):
    with pytest.raises(SettingsError, match="no driver for the protocol 'modbsu'"):
        plan("name,address\na,1\n", head={**HEAD, "protocol": "modbsu"})


@pytest.mark.parametrize(
    ("text", "counting", "expected"),
    [
        ("40001", Counting.REFERENCES, ("holding", "0")),
        ("400001", Counting.REFERENCES, ("holding", "0")),
        ("30011", Counting.REFERENCES, ("input", "10")),
        ("10001", Counting.REFERENCES, ("discrete", "0")),
        ("1", Counting.REFERENCES, ("coil", "0")),
        ("465536", Counting.REFERENCES, ("holding", "65535")),
        ("1", Counting.FROM_1, (None, "0")),
        ("17", Counting.FROM_0, (None, "17")),
    ],
)
def test_addresses_of_manuals_become_the_protocols(text, counting, expected):
    assert protocol_address(text, counting) == expected


@pytest.mark.parametrize("text", ["0", "50001", "4x001", "4000001", "40000", "-1", ""])
def test_a_reference_that_is_none_says_so(text):
    with pytest.raises(ValueError, match="found"):
        protocol_address(text, Counting.REFERENCES)


def test_references_fill_in_the_table(plan):
    planned = plan("name,address\na,30011\nb,40001\n", counting=Counting.REFERENCES)
    assert "{name: a, table: input, address: 10}" in planned.text
    assert "{name: b, address: 0}" in planned.text


def test_a_reference_that_contradicts_its_table_is_named(problems):
    [found] = problems("name,table,address\na,input,40001\n", counting=Counting.REFERENCES)
    assert found == "2 C2 address: the reference is of the table 'holding', the row says 'input'"


def test_columns_are_named_as_spreadsheets_do():
    assert [column_name(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@given(data=st.binary(max_size=300))
def test_no_bytes_break_the_reader(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for start in (b"", b"PK", b"name,address\n"):
        path.write_bytes(start + data)
        with contextlib.suppress(SettingsError):
            points = open_points(path, Options(counting=Counting.REFERENCES))
            assert plan_import(points, path.with_name("none.yaml"), HEAD, find_driver).new
