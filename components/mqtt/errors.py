"""What a broker or the line to it refuses, and the library's exceptions in our words.

DeviceError
├── DeviceUnreachableError
│   └── CommandUnansweredError  the command went out, the device did not answer it in time
└── DeviceRefusedError
    ├── BrokerRefusedError      the broker refused the connection, a subscription or a publish
    └── CommandRefusedError     the device answered a command with an error
"""

import ssl

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from components.mqtt.limits import REFUSED
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

BROKER_HINT = (
    "Check that the broker runs and that host and port are right: 1883 is plain, 8883 TLS."
)
TLS_HINT = (
    "Check 'tls.ca_file', and that the broker's certificate names the host as it is written here."
)
FILE_HINT = "Check the files that the settings name, and that the gateway may read them."
LOGIN_HINT = "Check 'username', 'password_file' or the certificate, and the broker's own list."
VERSION_HINT = "The broker does not speak this version of MQTT: try version '3.1.1'."
ACL_HINT = "Let the broker's access list allow it to this gateway's user."
TAKEN_HINT = "Another client uses the same client_id: leave it out, or give each client its own."

_CONNACK_311 = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
"""Return codes of 3.1.1 3.2.2.3 as reason codes of 5.0."""
_HINTS = {
    0x84: VERSION_HINT,
    0x86: LOGIN_HINT,
    0x87: ACL_HINT,
    0x8A: LOGIN_HINT,
    0x8E: TAKEN_HINT,
}


class BrokerRefusedError(DeviceRefusedError):
    """The broker refused."""


class CommandRefusedError(DeviceRefusedError):
    """The device answered a command with an error."""


class CommandUnansweredError(DeviceUnreachableError):
    """The device did not answer a command in time."""


FOREIGN: dict[type[aiomqtt.MqttError], type[DeviceError]] = {
    aiomqtt.MqttError: DeviceUnreachableError,
    aiomqtt.MqttCodeError: DeviceUnreachableError,
    aiomqtt.exceptions.MqttConnectError: BrokerRefusedError,
    aiomqtt.MqttReentrantError: DeviceUnreachableError,
}
"""Every exception class of aiomqtt; a test fails when a new one appears."""


def mapped(exc: aiomqtt.MqttError | OSError | ValueError, where: str) -> DeviceError:
    """Say in our words what the library or the system said; raise the result ``from`` it."""
    if isinstance(exc, ssl.SSLError):
        reason = getattr(exc, "verify_message", "") or getattr(exc, "reason", "") or str(exc)
        return DeviceUnreachableError(f"{where}: no TLS: {reason}", hint=TLS_HINT)
    if isinstance(exc, TimeoutError):
        return DeviceUnreachableError(f"{where} did not answer in time", hint=BROKER_HINT)
    if isinstance(exc, OSError) and exc.filename is not None:
        msg = f"{where}: {exc.filename}: {exc.strerror}"
        return DeviceUnreachableError(msg, hint=FILE_HINT)
    if isinstance(exc, OSError):
        reason = exc.strerror or str(exc) or type(exc).__name__
        return DeviceUnreachableError(f"{where} cannot be reached: {reason}", hint=BROKER_HINT)
    if isinstance(exc, aiomqtt.exceptions.MqttConnectError):
        return refused_connection(exc.rc, where)
    kind = FOREIGN.get(type(exc), DeviceUnreachableError)  # type: ignore[arg-type]
    return kind(f"{where}: {str(exc) or type(exc).__name__}", hint=BROKER_HINT)


def refused_connection(rc: int | ReasonCode | None, where: str) -> DeviceError:
    """Tell apart a broker that does not want us from one that is not ready."""
    code = rc.value if isinstance(rc, ReasonCode) else _CONNACK_311.get(rc or 0, 0x80)
    text = f"{where} refused the connection: {reason_text(code)}"
    if code in {0x88, 0x89}:  # unavailable, busy
        return DeviceUnreachableError(text, hint="The broker is starting or overloaded.")
    return BrokerRefusedError(text, hint=_HINTS.get(code, ""))


def hint_of(exc: BaseException | None) -> str:
    """Give what to do about the reason for which a broker ended a connection (5.0 only)."""
    code = getattr(exc, "rc", None)
    return _HINTS.get(code.value, "") if isinstance(code, ReasonCode) else ""


def reason_text(code: int) -> str:
    """Name a reason code of MQTT 5.0 (2.4)."""
    names = [name for name in ReasonCode.names.get(code, {}) if code >= REFUSED]
    return f"{names[0]} (0x{code:02X})" if names else f"0x{code:02X}"


def reason_detail(code: int) -> str:
    """Name a reason code for the reason of a reading: ``not_authorized``."""
    names = list(ReasonCode.names.get(code, {}))
    return names[0].lower().replace(" ", "_") if names else f"0x{code:02x}"
