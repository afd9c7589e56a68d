import inspect
import ssl

import aiomqtt
import pytest
from aiomqtt import exceptions as foreign
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from components.mqtt.errors import (
    ACL_HINT,
    BROKER_HINT,
    FILE_HINT,
    FOREIGN,
    LOGIN_HINT,
    TAKEN_HINT,
    TLS_HINT,
    VERSION_HINT,
    BrokerRefusedError,
    hint_of,
    mapped,
    reason_detail,
    reason_text,
)
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError


def test_every_exception_class_of_aiomqtt_is_mapped():
    found = {
        cls
        for _, cls in inspect.getmembers(foreign, inspect.isclass)
        if issubclass(cls, aiomqtt.MqttError)
    }
    assert set(FOREIGN) == found


@pytest.mark.parametrize(
    ("exc", "text", "hint"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused", BROKER_HINT),
        (TimeoutError(), "did not answer in time", BROKER_HINT),
        (OSError(), "OSError", BROKER_HINT),
        (FileNotFoundError(2, "No such file", "ca.pem"), "ca.pem: No such file", FILE_HINT),
        (ssl.SSLCertVerificationError("x"), "no TLS", TLS_HINT),
        (aiomqtt.MqttError("Operation timed out"), "Operation timed out", BROKER_HINT),
        (ValueError("no password"), "no password", BROKER_HINT),
    ],
)
def test_trouble_of_the_line_is_unreachable_with_a_hint(exc, text, hint):
    error = mapped(exc, "mqtt://b:1883")
    assert isinstance(error, DeviceUnreachableError)
    assert text in str(error)
    assert "mqtt://b:1883" in str(error)
    assert error.hint == hint


@pytest.mark.parametrize(
    ("code", "hint"), [(0x84, VERSION_HINT), (0x86, LOGIN_HINT), (0x87, ACL_HINT), (0x85, "")]
)
def test_refused_connection_says_why(code, hint):
    exc = foreign.MqttConnectError(ReasonCode(PacketTypes.CONNACK, identifier=code))
    error = mapped(exc, "mqtt://b:1883")
    assert isinstance(error, BrokerRefusedError)
    assert isinstance(error, DeviceRefusedError)
    assert f"0x{code:02X}" in str(error)
    assert error.hint == hint


@pytest.mark.parametrize("code", [0x88, 0x89])
def test_broker_that_is_not_ready_is_unreachable(code):
    exc = foreign.MqttConnectError(ReasonCode(PacketTypes.CONNACK, identifier=code))
    assert isinstance(mapped(exc, "b"), DeviceUnreachableError)


def test_return_code_of_the_old_version_is_understood():
    assert "Not authorized (0x87)" in str(mapped(foreign.MqttConnectError(5), "b"))


def test_reason_codes_have_names():
    assert reason_text(0x87) == "Not authorized (0x87)"
    assert reason_text(0xEE) == "0xEE"
    assert reason_detail(0x87) == "not_authorized"
    assert reason_detail(0xEE) == "0xee"


def test_client_id_that_others_use_has_a_hint():
    code = ReasonCode(PacketTypes.DISCONNECT, identifier=0x8E)
    assert hint_of(aiomqtt.MqttCodeError(code)) == TAKEN_HINT
    assert hint_of(aiomqtt.MqttCodeError(7)) == hint_of(None) == ""
