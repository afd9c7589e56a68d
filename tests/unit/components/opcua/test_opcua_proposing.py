import pytest
from asyncua import ua

from components.opcua.browse import Variable
from components.opcua.ids import node_id
from components.opcua.proposing import labels_of, node_text, propose
from components.opcua.units import UNECE, common_code, to_ucum

T = ua.VariantType
NAMESPACES = ("http://opcfoundation.org/UA/", "urn:server", "urn:acme")


def variable(name: str, value, kind, **more) -> Variable:
    path = more.pop("path", ("Tank", name))
    data = ua.DataValue(ua.Variant(value, kind))
    return Variable(node_id(name, 2), path, data, access=more.pop("access", 1), **more)


def only(found: Variable) -> dict:
    [(fields, _)] = propose([found], NAMESPACES)
    return fields


@pytest.mark.parametrize(
    ("code", "ucum"), [("CEL", "Cel"), ("KWT", "kW"), ("P1", "%"), ("4K", "mA"), ("MQH", "m3/h")]
)
def test_unit_of_unece_becomes_ucum(code, ucum):
    number = int.from_bytes(code.encode(), "big")
    assert common_code(number) == code
    assert to_ucum(UNECE, number) == ucum
    assert to_ucum("urn:own:units", number) == ""


@pytest.mark.parametrize("number", [-1, 0, 2**40, 0x0000_FF00])
def test_number_that_is_no_unit_has_no_code(number):
    assert to_ucum(UNECE, number) == ""


def test_celsius_is_the_number_of_the_specification():
    assert common_code(4_408_652) == "CEL"


def test_variable_becomes_a_point_with_unit_and_limits():
    unit = ua.EUInformation(NamespaceUri=UNECE, UnitId=4_408_652)
    properties = {"EngineeringUnits": unit, "EURange": ua.Range(-20.0, 120.0)}
    fields = only(variable("WaterTemp", 21.5, T.Double, properties=properties))
    assert fields == {
        "name": "water_temp", "kind": "float", "node": "nsu=urn:acme;s=WaterTemp", "unit": "Cel",
        "minimum": -20.0, "maximum": 120.0,
    }  # fmt: skip


def test_unit_that_nobody_knows_is_kept_in_words():
    unit = ua.EUInformation(NamespaceUri="urn:own", DisplayName=ua.LocalizedText("furlong"))
    fields = only(variable("Way", 1.0, T.Double, properties={"EngineeringUnits": unit}))
    assert fields["description"] == "[furlong]"
    assert "unit" not in fields


def test_range_that_is_none_is_left_out():
    limits = {"EURange": ua.Range(0.0, 0.0)}
    assert "minimum" not in only(variable("Way", 1.0, T.Double, properties=limits))


def test_enumeration_has_its_texts():
    strings = [ua.LocalizedText("off"), ua.LocalizedText(None), ua.LocalizedText("on")]
    found = variable("State", 2, T.Int32, properties={"EnumStrings": strings})
    assert only(found)["kind"] == "enumeration"
    assert labels_of(found) == {0: "off", 1: "1", 2: "on"}


def test_enumeration_may_have_gaps():
    values = [ua.EnumValueType(Value=8, DisplayName=ua.LocalizedText("fault"))]
    assert labels_of(variable("State", 8, T.Int32, properties={"EnumValues": values})) == {
        8: "fault"
    }


@pytest.mark.parametrize(
    "found",
    [
        variable("Array", [1, 2], T.Int32),
        variable("Nothing", None, None),
        variable("Structure", ua.Range(0, 1), T.ExtensionObject),
        variable("Secret", 1, T.Int32, access=2),
    ],
    ids=lambda found: found.path[-1],
)
def test_what_cannot_be_a_point_is_not_proposed(found):
    assert propose([found], NAMESPACES) == []


def test_names_are_made_unique_by_the_path_and_then_by_numbers():
    paths = [("A", "Level"), ("B", "Level"), ("Level",), ("Level",), ("1", "°C")]
    found = [variable(f"n{i}", 1.0, T.Double, path=path) for i, path in enumerate(paths)]
    names = [fields["name"] for fields, _ in propose(found, NAMESPACES)]
    assert names == ["level", "b_level", "level_2", "level_3", "c"]


def test_node_of_the_standard_has_no_uri():
    assert node_text(node_id(2258), NAMESPACES) == "i=2258"
    assert node_text(node_id(7, 9), NAMESPACES) == "ns=9;i=7"
