"""EDE files become points, and what is wrong in them is told by row and column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.bacnet.ede import read_ede
from components.bacnet.settings import Point

EDE = """\
# PROPOSAL_OF_BIG_EU;;;;
PROJECT_NAME;Town hall;;;
VERSION_OF_REFERENCEFILE;3;;;
VERSION_OF_LAYOUT;2.2;;;
#mandatory;mandatory;mandatory;mandatory;mandatory;optional
# keyname;device obj.-instance;object-name;object-type;object-instance;description;present-value-default;min-present-value;max-present-value;settable;supports COV;hi-limit;low-limit;state-text-reference;unit-code;vendor-specific-address;notification-class
AHU;2001;AHU1;8;2001;Controller;;;;N;N;;;;;;
T1;2001;AHU1.Supply Temp;0;2;Zuluft;;0;0;N;Y;;;;62;;
SP;2001;AHU1.SetPoint;2;1;;19,0;12,0;28,0;Y;Y;;;;62;;
MODE;2001;AHU1.Mode;19;1;Operating mode;;;;N;N;;;7;;;
PUMP;2001;AHU1.Pump;4;1;;;;;Y;Y;;;3;;;
VALVE;2012;Valve;1;1;;;;;;;;;;98;;
"""
STATES = (
    "#State Text Reference\n#Reference Number;Text 1;Text 2\n3;stopped;running\n7;off;night;day;\n"
)
UNITS = "#Encoding of units\n512;kW.h\n"


def point(ede, device, name):
    return next(p for p in ede.devices[device] if p["name"] == name)


def changed(old: str, new: str):
    assert old in EDE
    return read_ede(EDE.replace(old, new), state_texts=STATES)


def test_file_becomes_points_by_device():
    ede = read_ede(EDE, state_texts=STATES)
    assert ede.problems == []
    assert ede.head["PROJECT_NAME"] == "Town hall"
    names = {device: [p["name"] for p in points] for device, points in ede.devices.items()}
    assert names == {
        2001: ["ahu1_supply_temp", "ahu1_set_point", "ahu1_mode", "ahu1_pump"],
        2012: ["valve"],
    }


def test_point_has_unit_and_description():
    assert point(read_ede(EDE), 2001, "ahu1_supply_temp") == {
        "name": "ahu1_supply_temp", "object": "analog-input,2", "kind": "float",
        "description": "Zuluft", "unit": "Cel",
    }  # fmt: skip


def test_settable_point_has_its_range():
    found = point(read_ede(EDE), 2001, "ahu1_set_point")
    assert (found["access"], found["minimum"], found["maximum"]) == ("read_write", 12.0, 28.0)


def test_states_get_their_texts():
    found = point(read_ede(EDE, state_texts=STATES), 2001, "ahu1_mode")
    assert (found["kind"], found["labels"]) == ("enumeration", {1: "off", 2: "night", 3: "day"})
    assert found["cov"] is False


def test_every_point_fits_the_settings():
    ede = read_ede(EDE, state_texts=STATES)
    for points in ede.devices.values():
        for fields in points:
            assert Point(**fields).name == fields["name"]


def test_percent_is_no_knowledge():
    assert "unit" not in point(read_ede(EDE), 2012, "valve")


@pytest.mark.parametrize(
    ("old", "new", "row", "column", "text"),
    [
        ("T1;2001;", "T1;x;", 8, 2, "found 'x'; expected device obj.-instance"),
        ("Temp;0;2;", "Temp;9999;2;", 8, 4, "found '9999'; expected object-type"),
        ("Temp;0;2;", "Temp;0;4194303;", 8, 5, "expected object-instance as a number"),
        (";19,0;12,0;28,0;", ";19,0;28,0;12,0;", 9, 9, "12 is below the smallest value, 28"),
        (";19,0;12,0;", ";19,0;low;", 9, 8, "found 'low'; expected a number"),
        ("Zuluft;;0;0;N;", "Zuluft;;0;0;maybe;", 8, 10, "found 'maybe'; expected Y or N"),
        (";7;;;", ";70;;;", 10, 14, "state texts 70 stand in no file of state texts"),
        ("Y;;;;62;;\nSP", "Y;;;;512;;\nSP", 8, 15, "unit 512 is a vendor's own"),
        ("Pump;4;1;", "Pump;19;1;", 11, 5, "multi-state-value,1 of device 2001 stands twice"),
    ],
)  # fmt: skip
def test_wrong_cell_is_told_with_its_place(old, new, row, column, text):
    ede = changed(old, new)
    [problem] = ede.problems
    assert (problem.row, problem.column) == (row, column)
    assert text in problem.text
    assert len(ede.devices[2001]) == 3, "the other rows are taken"


def test_short_row_is_told():
    [problem] = read_ede("A;1;name\nB;1;other;0;1\n").problems
    assert (problem.row, problem.text) == (1, "3 columns; the first 5 are mandatory")


def test_vendors_unit_is_known_from_its_file():
    ede = read_ede(EDE.replace("Y;;;;62;;\nSP", "Y;;;;512;;\nSP"), units=UNITS)
    assert ede.problems == []


def test_type_may_be_written_as_a_name():
    assert read_ede("K;1;Name;Analog Input;7\n").devices[1][0]["object"] == "analog-input,7"


def test_tabs_and_commas_separate_columns_too():
    for mark in "\t", ",":
        ede = read_ede(f"K{mark}1{mark}Name{mark}0{mark}7\n")
        assert ede.devices[1][0]["object"] == "analog-input,7"


def test_same_name_twice_gets_a_number():
    ede = read_ede("K;1;Temp;0;1\nL;1;Temp;0;2\n")
    assert [p["name"] for p in ede.devices[1]] == ["temp", "temp_2"]


def test_something_else_is_no_ede_file():
    assert "is it an EDE file" in read_ede("PROJECT_NAME;x\n").problems[0].text


def test_reading_twice_gives_the_same():
    assert read_ede(EDE).devices == read_ede(EDE).devices


@given(st.text(alphabet=st.sampled_from('AB;,\t\n\r"#019Y\0é'), max_size=200))
def test_any_text_is_read_without_an_exception(text):
    ede = read_ede(text, state_texts=text, units=text)
    assert len(ede.problems) <= 200
