from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.opcua.nodeids import NodeRef, parse, resolve

NAMESPACES = ("http://opcfoundation.org/UA/", "urn:server", "urn:acme:plc")


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("i=2258", NodeRef(0, 2258)),
        ("ns=2;s=Level", NodeRef(2, "Level")),
        ("ns=3;s=Tank;1.Level=now", NodeRef(3, "Tank;1.Level=now")),
        ("nsu=urn:acme:plc;s=Level", NodeRef("urn:acme:plc", "Level")),
        ("ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a",
         NodeRef(1, UUID("09087e75-8e5e-499b-954f-f2a9603db28a"))),
        ("ns=1;b=M/RbKBsRVkePCePcx24oRA==",
         NodeRef(1, bytes.fromhex("33f45b281b1156478f09e3dcc76e2844"))),
    ],
)  # fmt: skip
def test_node_id_is_taken_apart(text, ref):
    assert parse(text) == ref


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Level", "is no node id"),
        ("ns=2;Level", "is no node id"),
        ("ns=2;s=", "is no node id"),
        ("ns=70000;i=1", "above 65535"),
        ("ns=2;i=4294967296", "a number up to 4294967295"),
        ("ns=2;i=-1", "a number up to"),
        ("ns=2;g=nonsense", "must be a GUID"),
        ("ns=2;b=***", "must be base64"),
        ("s=" + "x" * 1_000, "is no node id"),
    ],
)
def test_what_is_none_is_told(text, said):
    with pytest.raises(ValueError, match=said):
        parse(text)


@given(st.text())
def test_any_text_is_a_node_id_or_a_value_error(text):
    with suppress(ValueError):
        assert isinstance(parse(text), NodeRef)


def test_namespace_is_found_by_its_uri():
    assert resolve(parse("nsu=urn:acme:plc;s=Level"), NAMESPACES) == 2
    assert resolve(parse("ns=7;s=Level"), NAMESPACES) == 7


def test_namespace_that_a_server_has_not_is_told():
    with pytest.raises(LookupError, match="no namespace 'urn:other'"):
        resolve(parse("nsu=urn:other;i=1"), NAMESPACES)
