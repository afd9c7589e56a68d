import contextlib
import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.payloads.senml import (
    MAX_BYTES,
    MAX_RECORDS,
    Record,
    SenmlError,
    decode_cbor,
    decode_json,
    encode_cbor,
    encode_json,
)

NOW_US = 1_800_000_000_000_000
S = 1_000_000


def of_json(*records):
    return decode_json(json.dumps(records).encode(), now_us=NOW_US)


def test_base_name_time_and_unit_hold_for_all_that_follow():
    # The example of RFC 8428 5.1.2, shortened.
    first, second, third = of_json(
        {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076001e9, "bu": "A", "bver": 5,
         "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
        {"n": "current", "t": -4, "v": 1.3},
    )  # fmt: skip
    assert first == Record("urn:dev:ow:10e2073a0108006:voltage", "V", 120.1, None, 1276020076001000)
    assert second == Record("urn:dev:ow:10e2073a0108006:current", "A", 1.2, None, 1276020071001000)
    assert third.time_us == 1276020072001000


def test_a_later_base_takes_the_place_of_an_earlier():
    names = [
        r.name for r in of_json({"bn": "a/", "n": "x", "v": 1}, {"bn": "b/", "n": "x", "v": 1})
    ]
    assert names == ["a/x", "b/x"]


def test_record_of_bases_only_gives_nothing():
    assert of_json({"bn": "a/", "bu": "Cel"}, {"n": "x", "v": 1}) == (Record("a/x", "Cel", 1),)


def test_base_value_and_base_sum_are_added():
    [record] = of_json({"bv": 20, "bs": 100, "n": "x", "v": 1.5, "s": 3})
    assert (record.value, record.sum) == (21.5, 103)


def test_base_value_is_not_added_to_a_text():
    assert of_json({"bv": 20, "n": "x", "vs": "on"})[0].value == "on"


@pytest.mark.parametrize(
    ("seconds", "time_us"),
    [
        (0, NOW_US),
        (-60, NOW_US - 60 * S),
        (2**28 - 1, NOW_US + (2**28 - 1) * S),
        (2**28, 2**28 * S),
    ],
)
def test_small_and_negative_times_are_relative_to_now(seconds, time_us):
    assert of_json({"n": "x", "v": 1, "t": seconds})[0].time_us == time_us


def test_without_a_time_there_is_none():
    assert of_json({"n": "x", "v": 1})[0].time_us is None


def test_every_kind_of_value():
    pack = [
        {"n": "a", "v": 1}, {"n": "b", "v": 1.5}, {"n": "c", "vs": "x"}, {"n": "d", "vb": False},
        {"n": "e", "vd": "_-8"}, {"n": "f", "s": 2.5, "ut": 30},
    ]  # fmt: skip
    records = of_json(*pack)
    assert [r.value for r in records] == [1, 1.5, "x", False, b"\xff\xef", None]
    assert [type(r.value) for r in records[:2]] == [int, float]
    assert (records[5].sum, records[5].update_time_s) == (2.5, 30)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"v": 1}], "record 1 has no name"),
        ([{"n": "a", "v": 1}, {"n": "_a", "v": 1}], "record 2: the name '_a' is not of letters"),
        ([{"n": "a" * 256, "v": 1}], "at most 255"),
        ([{"n": "a"}], "record 1 has no value"),
        ([{}], "record 1 has no name"),
        ([{"n": "a", "v": 1, "vs": "x"}], "record 1: 'vs' stands beside 'v'"),
        ([{"n": "a", "v": "1"}], "record 1: 'v' is no number"),
        ([{"n": "a", "v": True}], "record 1: 'v' is no number"),
        ([{"n": "a", "v": None}], "record 1: 'v' is no number"),
        ([{"n": "a", "v": [1]}], "record 1: 'v' is no number"),
        ([{"n": "a", "v": float("nan")}], "record 1: 'v' is not a finite number"),
        ([{"n": "a", "v": 10**400}], "record 1: 'v' is not a finite number"),
        ([{"bv": 1e308, "n": "a", "v": 1e308}], "record 1: 'v' is not a finite number"),
        ([{"n": "a", "vb": 1}], "record 1: 'vb' is not true or false"),
        ([{"n": "a", "vs": 1}], "record 1: 'vs' is not a text"),
        ([{"n": "a", "vs": "\ud800"}], "record 1: 'vs' is no whole text"),
        ([{"n": "a", "vd": "!"}], "record 1: 'vd' is no base64url"),
        ([{"n": "a", "vd": "é"}], "record 1: 'vd' is no base64url"),
        ([{"n": 1, "v": 1}], "record 1: 'n' is not a text"),
        ([{"n": "a", "v": 1, "t": 1e12}], "record 1: 't' gives a time that is none"),
        ([{"n": "a", "v": 1, "t": -1e12}], "record 1: 't' gives a time that is none"),
        ([{"n": "a", "v": 1, "ut": -1}], "record 1: 'ut' is negative"),
        ([{"bver": 11, "n": "a", "v": 1}], "record 1: 'bver' is 11; up to 10"),
        ([{"bver": 0, "n": "a", "v": 1}], "record 1: 'bver' is no positive integer"),
        ([{"bver": 5, "n": "a", "v": 1}, {"bver": 6, "n": "a", "v": 1}], "record 2: 'bver' differs"),
        ([{"n": "a", "v": 1, "must_": 1}], "record 1: 'must_' must be understood"),
        ([1], "record 1 is no object"),
        ([[["n", "a"]]], "record 1 is no object"),
    ],
)  # fmt: skip
def test_error_names_record_and_label(records, message):
    with pytest.raises(SenmlError) as caught:
        of_json(*records)
    assert message in str(caught.value)


def test_other_unknown_labels_are_ignored():
    assert of_json({"n": "a", "v": 1, "l": {"deep": [1]}, "x": None}) == (Record("a", "", 1),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON"),
        (b"{}", "a pack is an array"),
        (b'{"n":"a","v":1}', "a pack is an array"),
        (b'[{"n":"a","n":"b","v":1}]', "record 1: 'n' appears twice"),
        (b"[" * 5000, "no JSON"),
        (b'[{"n":"a","v":' + b"9" * 5000 + b"}]", "no JSON"),
        (b"\xff\xfe[]", "not UTF-8"),
        (b" " * (MAX_BYTES + 1), "65537 bytes are more than the 65536"),
        (b"[" + b",".join([b"{}"] * (MAX_RECORDS + 1)) + b"]", "1001 records are more than the 1000"),
    ],
)  # fmt: skip
def test_what_is_no_pack_in_json_is_refused(data, message):
    with pytest.raises(SenmlError) as caught:
        decode_json(data, now_us=NOW_US)
    assert message in str(caught.value)


def test_cbor_uses_numbers_for_labels():
    data = cbor2.dumps([{-2: "a/", -3: 1.5e9, -4: "Cel", 0: "x", 2: 21.5}, {0: "y", 8: b"\x01"}])
    first, second = decode_cbor(data, now_us=NOW_US)
    assert first == Record("a/x", "Cel", 21.5, None, 1_500_000_000_000_000)
    assert second.value == b"\x01"


def test_cbor_takes_decimal_fractions_and_half_floats():
    data = bytes.fromhex("82a2006178 02c4822119 0866 a2006179 02f93c00".replace(" ", ""))
    assert [r.value for r in decode_cbor(data, now_us=NOW_US)] == [21.5, 1.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no CBOR"),
        (cbor2.dumps({0: "a", 2: 1}), "a pack is an array"),
        (cbor2.dumps([{0: "a", 2: float("nan")}]), "record 1: 'v' is not a finite number"),
        (cbor2.dumps([{0: "a", 8: "x"}]), "record 1: 'vd' is not a byte string"),
        (cbor2.dumps([{0: "a", 2: 1, "n": "b"}]), "record 1: 'n' appears twice"),
        (bytes.fromhex("81a3006161020100 6162".replace(" ", "")), "no CBOR"),
        (b"\x81" * 60_000, "no CBOR"),
        (b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "no CBOR"),
        (b"\xd8\x23\x63(a+", "tag 35 has no place"),
        (b"\x81\xa1\x00\xd8\x1c\x80", "tag 28 has no place"),
        (b"\x00" * 65_537, "more than the 65536"),
    ],
)
def test_what_is_no_pack_in_cbor_is_refused(data, message):
    with pytest.raises(SenmlError) as caught:
        decode_cbor(data, now_us=NOW_US)
    assert message in str(caught.value)


records = st.builds(
    Record,
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9\-:./_]{0,40}\Z"),
    unit=st.sampled_from(["", "Cel", "%RH"]),
    value=st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(max_size=20)
    | st.binary(max_size=20),
    sum=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    time_us=st.none() | st.integers(2**28 * S, 2**33 * S),
    update_time_s=st.none() | st.floats(0, 1e6),
)


@given(
    st.lists(records, max_size=5),
    st.sampled_from([(encode_json, decode_json), (encode_cbor, decode_cbor)]),
)
def test_what_is_encoded_is_decoded_to_the_same(pack, codec):
    encode, decode = codec
    for one, two in zip(pack, decode(encode(pack), now_us=NOW_US), strict=True):
        assert (one.name, one.unit, one.value, one.sum) == (two.name, two.unit, two.value, two.sum)
        assert one.time_us is None or abs(one.time_us - two.time_us) <= 1


def test_base_name_is_sent_once():
    data = encode_json([Record("a/x", "", 1), Record("a/y", "", 2)], base_name="a/")
    assert data == b'[{"bn":"a/","n":"x","v":1},{"n":"y","v":2}]'


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
labels = st.sampled_from(
    ["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "x_"]
)


@given(st.lists(st.dictionaries(labels, values, max_size=5), max_size=3))
def test_no_json_raises_anything_else(pack):
    with contextlib.suppress(SenmlError):
        of_json(*pack)


@given(
    st.binary(max_size=60)
    | st.lists(
        st.dictionaries(st.integers(-7, 9) | st.text(max_size=3), values, max_size=5), max_size=3
    ).map(cbor2.dumps)
)
def test_no_bytes_raise_anything_else(data):
    for decode in (decode_json, decode_cbor):
        with contextlib.suppress(SenmlError):
            decode(data, now_us=NOW_US)
