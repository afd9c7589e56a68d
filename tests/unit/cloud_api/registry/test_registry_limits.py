import pytest

from cloud_api.errors import MessageRefusedError, NotFoundError
from cloud_api.registry.ids import as_number, as_uuid
from cloud_api.registry.service import MAX_DEVICES, MAX_POINTS, check_declaration, split_key
from cloud_sync.wire.events import DeviceDeclared, PointDeclared, PointsDeclared


def declared(*points, name="pump"):
    return PointsDeclared([DeviceDeclared(name=name, protocol="modbus", points=list(points))])


def test_a_usual_declaration_is_fine():
    check_declaration(declared(PointDeclared("flow", "float", unit="m3/h", decimals=2)))


@pytest.mark.parametrize(
    "wrong",
    [
        declared(PointDeclared("", "float")),
        declared(PointDeclared("flow", "complex")),
        declared(PointDeclared("flow", "float", unit="x" * 33)),
        declared(PointDeclared("flow", "float", decimals=7)),
        declared(PointDeclared("flow", "float", interval_s=0)),
        declared(PointDeclared("flow", "float", interval_s=float("nan"))),
        declared(PointDeclared("flow", "float", max_silence_s=float("inf"))),
        declared(PointDeclared("flow", "float"), PointDeclared("flow", "float")),
        declared(PointDeclared("fl\x00ow", "float")),
        declared(PointDeclared("mode", "enumeration", labels={str(n): "" for n in range(300)})),
        declared(PointDeclared("f" * 200, "float")),
        declared(name="a/b"),
        declared(name=""),
        declared(name="d" * 101),
        PointsDeclared([DeviceDeclared("d", "modbus")] * 2),
        PointsDeclared([DeviceDeclared(f"d{n}", "modbus") for n in range(MAX_DEVICES + 1)]),
        declared(*[PointDeclared(f"p{n}", "float") for n in range(MAX_POINTS + 1)]),
    ],
    ids=range(17),
)
def test_what_breaks_a_limit_is_refused(wrong):
    with pytest.raises(MessageRefusedError):
        check_declaration(wrong)


def test_a_key_parts_at_its_first_slash():
    assert split_key("pump/motor/speed") == ("pump", "motor/speed")


@pytest.mark.parametrize(
    "key", ["", "pump", "/flow", "pump/", "p" * 101 + "/x", "a/\x00", "a/" + "b" * 200]
)
def test_what_is_no_key_is_refused(key):
    with pytest.raises(MessageRefusedError):
        split_key(key)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "\u0661", "9" * 19, " 1"])
def test_what_is_no_number_is_not_found(text):
    with pytest.raises(NotFoundError):
        as_number(text)
    with pytest.raises(NotFoundError):
        as_uuid(text)
