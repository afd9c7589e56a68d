import pytest
from pydantic import ValidationError

from components.opcua.driver import address, connection, plan
from components.opcua.settings import SecurityMode, SecurityPolicy, Settings

POINT = {"name": "level", "node": "ns=2;s=Level"}
BASIC = {"name": "plc", "endpoint": "opc.tcp://10.0.0.9", "points": [POINT]}


def made(**more) -> Settings:
    return Settings(**(BASIC | more))


def test_a_device_is_signed_and_encrypted_by_default():
    settings = made()
    assert settings.security_policy is SecurityPolicy.BASIC256SHA256
    assert settings.mode is SecurityMode.SIGN_AND_ENCRYPT


def test_no_security_must_be_asked_for():
    assert made(security_policy="None").mode is None


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("opc.tcp://10.0.0.9", "opc.tcp://10.0.0.9:4840"),
        ("opc.tcp://plc:4841/path", "opc.tcp://plc:4841/path"),
        ("opc.tcp://[fe80::1]/x", "opc.tcp://[fe80::1]:4840/x"),
    ],
)
def test_port_4840_is_filled_in(endpoint, url):
    assert made(endpoint=endpoint).url == url


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"endpoint": "http://10.0.0.9"}, "String should match pattern"),
        ({"endpoint": "opc.tcp://me:secret@10.0.0.9"}, "String should match pattern"),
        ({"endpoint": "opc.tcp://10.0.0.9:99999"}, "no number up to 65535"),
        ({"endpoint": "opc.tcp://10.0.0.9:0"}, "no port of a server"),
        ({"security_policy": "None", "security_mode": "Sign"}, "needs a 'security_policy'"),
        ({"user": "me"}, "belong together"),
        ({"password": "x"}, "belong together"),
        ({"user": "me", "password": "x", "password_file": "y"}, "not both"),
        ({"user_certificate_file": "c.pem"}, "belong together"),
        ({"user": "me", "password": "x", "user_certificate_file": "c", "user_key_file": "k"},
         "not both"),
        ({"security_policy": "None", "user_certificate_file": "c", "user_key_file": "k"},
         "needs a 'security_policy'"),
        ({"methods": [{"name": "go", "object": "i=1", "method": "i=2"}] * 2}, "the same name"),
        ({"methods": [{"name": "go", "object": "nowhere", "method": "i=2"}]}, "is no node id"),
        ({"points": [POINT | {"node": "Level"}]}, "is no node id"),
        ({"points": [POINT | {"server_deadband": 1, "server_deadband_percent": 1}]}, "not both"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(more, text):
    with pytest.raises(ValidationError, match=text):
        made(**more)


def test_password_is_not_shown():
    assert "pa55" not in repr(made(user="me", password="pa55"))


def test_plan_parts_reads_at_the_limit():
    points = [{"name": f"p{i}", "node": f"i={i}"} for i in range(5)]
    settings = made(points=points, max_nodes_per_call=2)
    assert [len(p.points) for p in plan(settings, [p["name"] for p in points])] == [2, 2, 1]


def test_server_and_line_have_names():
    assert address(made()) == "opc.tcp://10.0.0.9"
    assert connection(made(endpoint="opc.tcp://10.0.0.9/a")) == "opcua 10.0.0.9:4840"
