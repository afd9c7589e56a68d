import pytest

from tidegate.edge.choosing import parse_choice
from tidegate.edge.foreign_text import harmless, name_from, show_bytes


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("1", {1: ""}),
        ("1,3-5", {1: "", 3: "", 4: "", 5: ""}),
        ("2=eastron-sdm630 4", {2: "eastron-sdm630", 4: ""}),
        ("all", {1: "", 2: "", 3: "", 4: "", 5: ""}),
        ("A", {1: "", 2: "", 3: "", 4: "", 5: ""}),
        ("none", {}),
        ("", {}),
    ],
)
def test_choices_are_understood(text, picked):
    assert parse_choice(text, 5) == picked


@pytest.mark.parametrize("text", ["6", "0", "3-1", "x", "1;2", "1-9999", "2=../x"])
def test_what_is_no_choice_says_so(text):
    with pytest.raises(ValueError, match=r"no choice|there are 1 to 5"):
        parse_choice(text, 5)


def test_what_steers_a_terminal_is_taken_out():
    assert harmless("meter\x1b[2J\r\n\u202e 7") == "meter [2J 7"


def test_long_text_is_cut():
    assert len(harmless("x" * 5_000)) == 200


@pytest.mark.parametrize(
    ("data", "kind", "shown"),
    [
        (b"\x43\x67\x66\x66", "float32", "43 67 66 66"),
        (b"ABCD", "uint32", "41 42 43 44"),
        (b"ON", "", "4f 4e ON"),
        (b'{"level": 1.5}', "", '{"level": 1.5}'),
        (b"\xff" * 12, "", " ".join(["ff"] * 12)),
        (b"", "", ""),
    ],
)
def test_bytes_are_shown_as_what_they_are(data, kind, shown):
    assert show_bytes(data, kind) == shown


@pytest.mark.parametrize("data", [b"x" * 9_999, b"\xff" * 9_999])
def test_many_bytes_are_cut(data):
    assert show_bytes(data).endswith("… (9999 bytes)")
    assert len(show_bytes(data)) < 120


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (("SDM630-Modbus V2",), "sdm630-modbus-v2"),
        (("", "  ", "Süd"), "s-d"),
        (("***",), "device"),
        (("a" * 80,), "a" * 24),
        (("CoAP device with 8 resources: level",), "coap-device-with-8"),
    ],
)
def test_names_are_made_of_what_a_device_says(texts, name):
    assert name_from(*texts) == name
