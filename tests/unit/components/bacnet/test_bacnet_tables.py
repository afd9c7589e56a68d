"""Tables against the names that bacpypes3 has for the same numbers."""

import pytest
from bacpypes3.basetypes import EngineeringUnits, PropertyIdentifier, Reliability
from bacpypes3.primitivedata import ObjectType

from components.bacnet import limits
from components.bacnet.kinds import TYPES, object_name, object_type
from components.bacnet.trust import FAULT, OUT_OF_SERVICE, OVERRIDDEN, RELIABILITY, trust_of
from components.bacnet.units import UCUM, is_default, ucum_of
from edge_runtime.model import Quality

WITHOUT_UCUM = {"no-units", "therms", "ton-hours", "tons-refrigeration"}


def names_of(kind):
    return {name: number for name, number in kind._enum_map.items() if name == name.lower()}


def test_object_types_have_the_standards_numbers():
    assert {n: int(ObjectType(t.name)) for n, t in TYPES.items()} == {n: n for n in TYPES}


def test_properties_have_the_standards_numbers():
    names = {
        "OBJECT_LIST": "object-list", "PRESENT_VALUE": "present-value", "UNITS": "units",
        "STATUS_FLAGS": "status-flags", "RELIABILITY": "reliability", "STATE_TEXT": "state-text",
        "PRIORITY_ARRAY": "priority-array", "COV_INCREMENT": "cov-increment",
        "SERVICES_SUPPORTED": "protocol-services-supported", "OBJECT_NAME": "object-name",
        "MAX_APDU_LENGTH": "max-apdu-length-accepted", "NUMBER_OF_STATES": "number-of-states",
        "RELINQUISH_DEFAULT": "relinquish-default", "MIN_PRESENT_VALUE": "min-pres-value",
        "MAX_PRESENT_VALUE": "max-pres-value", "ACTIVE_TEXT": "active-text",
    }  # fmt: skip
    assert {n: int(PropertyIdentifier(w)) for n, w in names.items()} == {
        n: getattr(limits, n) for n in names
    }


def test_every_unit_is_known_or_left_out_on_purpose():
    missing = {n for n, number in names_of(EngineeringUnits).items() if number not in UCUM}
    assert {name for name in missing if not name.startswith("currency")} == WITHOUT_UCUM


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("degrees-celsius", "Cel"), ("percent", "%"), ("kilowatt-hours", "kW.h"),
        ("pascals", "Pa"), ("liters-per-second", "L/s"), ("parts-per-million", "[ppm]"),
        ("cubic-meters-per-hour", "m3/h"), ("luxes", "lx"), ("watts", "W"), ("no-units", ""),
    ],
)  # fmt: skip
def test_unit_has_its_ucum_code(name, code):
    assert ucum_of(int(EngineeringUnits(name))) == code


def test_units_of_vendors_and_defaults_are_no_knowledge():
    assert ucum_of(512) == ""
    assert is_default(98)


def test_reliabilities_have_the_standards_names():
    assert {n: str(Reliability(n)) for n in RELIABILITY} == RELIABILITY


@pytest.mark.parametrize(
    ("flags", "reliability", "quality", "reason"),
    [
        (0, None, Quality.GOOD, ""),
        (None, None, Quality.GOOD, ""),
        (1, None, Quality.GOOD, ""),
        (OVERRIDDEN, 0, Quality.GOOD, ""),
        (OUT_OF_SERVICE, 0, Quality.UNCERTAIN, "device_error:out-of-service"),
        (FAULT, None, Quality.BAD, "device_error:fault"),
        (FAULT, 0, Quality.BAD, "device_error:fault"),
        (FAULT, 1, Quality.BAD, "device_error:no-sensor"),
        (FAULT, 4, Quality.BAD, "device_error:open-loop"),
        (FAULT, 2, Quality.UNCERTAIN, "out_of_range"),
        (FAULT, 10, Quality.BAD, "configuration"),
        (FAULT, 14, Quality.UNCERTAIN, "device_error:monitored-object-fault"),
        (FAULT | OUT_OF_SERVICE, 12, Quality.BAD, "device_error:communication-failure"),
        (FAULT, 700, Quality.BAD, "device_error:reliability-700"),
    ],
)
def test_flags_and_reliability_become_quality(flags, reliability, quality, reason):
    assert trust_of(flags, reliability) == (quality, reason)


def test_vendors_own_object_has_its_number_as_name():
    assert object_name((130, 7)) == "130,7"
    assert object_type(130).kind is None
