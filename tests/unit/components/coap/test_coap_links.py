import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.coap.links import Link, LinksError, parse_links, point_name

LIBCOAP = (
    b'</>;title="General Info";ct=0,</time>;if="clock";rt="ticks";title="Internal, Clock";ct=0;obs,'
    b"</async>;ct=0"
)


def test_links_of_libcoap_are_read():
    assert parse_links(LIBCOAP) == (
        Link("/", "General Info", formats=(0,)),
        Link("/time", "Internal, Clock", observable=True, formats=(0,), kind="ticks"),
        Link("/async", formats=(0,)),
    )


@pytest.mark.parametrize(
    ("data", "links"),
    [
        (b"", ()),
        (b"<a>", (Link("/a"),)),
        (b"</a> ; obs , </b>", (Link("/a", observable=True), Link("/b"))),
        (b'</a>;ct="110 112"', (Link("/a", formats=(110, 112)),)),
        (b"</a>;ct=none", (Link("/a"),)),
        (b"<http://elsewhere/x>,<//host/y>,</a>", (Link("/a"),)),
        (b"</a>;title*=UTF-8'de'%C3%A4", (Link("/a"),)),
    ],
)
def test_variants_are_understood_and_links_elsewhere_left_out(data, links):
    assert parse_links(data) == links


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"hello", "at character 0: 'hello'"), (b"</a>,x", "at character 5"), (b"\xff", "not UTF-8")],
)
def test_what_is_no_link_format_is_said(data, message):
    with pytest.raises(LinksError) as caught:
        parse_links(data)
    assert message in str(caught.value)


@given(st.text('</a>;,=" \\obst', max_size=60))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(LinksError):
        assert all(link.path.startswith("/") for link in parse_links(text.encode()))


@pytest.mark.parametrize("filling", [b";a", b" ", b";", b"=", b"\\", b"<", b';a="b"'])
def test_long_nonsense_is_refused_quickly(filling):
    with pytest.raises(LinksError):
        parse_links(b"</a>;" + filling * (60_000 // len(filling)) + b'"')


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/sensors/Temp-1", "sensors_temp_1"), ("/3303/0/5700", "p_3303_0_5700"), ("/", "p"),
        ("/a/" + "b" * 90, "a_" + "b" * 48), ("/time", "time_2"),
    ],
)  # fmt: skip
def test_path_becomes_a_name(path, name):
    assert point_name(path, {"time"}) == name
