"""How a device is reached: over TCP, or on a serial line; shared by all that speak Modbus."""

from enum import StrEnum
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from components.modbus import limits
from edge_runtime.driver import DeviceSettings

START_AND_DATA_BITS = 9
"""Of a byte on a serial line in RTU mode (serial 2.5.1)."""


class Framing(StrEnum):
    """What stands around a request on its way."""

    TCP = "tcp"
    """A header with a transaction number (messaging 3.1.3)."""
    RTU = "rtu"
    """Unit id and checksum, as on a serial line (serial 2.5.1)."""


class Parity(StrEnum):
    """The parity bit of each byte."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class Rs485(BaseModel):
    """The port's driver switches the transceiver; most USB adapters do that by themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rts_level_for_tx: bool = True
    """Level of RTS while we send."""
    rts_level_for_rx: bool = False
    loopback: bool = False
    """The receiver stays on while we send, and hears us."""
    delay_before_tx_s: float = Field(default=0.0, ge=0, le=1)
    delay_before_rx_s: float = Field(default=0.0, ge=0, le=1)


class Serial(BaseModel):
    """A serial port and how it is set: the same for everybody on the line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: str = Field(pattern=r"^/\S+$", max_length=255)
    """``/dev/ttyUSB0``, or better a name that stays: ``/dev/serial/by-id/…``."""
    baudrate: int = Field(default=19_200, ge=300, le=4_000_000)
    parity: Parity = Parity.EVEN
    """The standard's default (serial 2.5.1); many devices are delivered with ``none``."""
    stop_bits: Literal[1, 2] = 1
    pause_s: float = Field(default=0.0, ge=0, le=10)
    """Rest between an answer and the next request, beyond the silent interval."""
    rs485: Rs485 | None = None

    @property
    def byte_seconds(self) -> float:
        """Time that a byte takes."""
        bits = START_AND_DATA_BITS + (self.parity is not Parity.NONE) + self.stop_bits
        return bits / self.baudrate

    @property
    def silence_s(self) -> float:
        """Pause that separates two frames."""
        if self.baudrate > limits.SERIAL_FAST_BAUD:
            return limits.SERIAL_FAST_SILENCE_S
        return limits.SERIAL_SILENCE_BYTES * self.byte_seconds


class Place(NamedTuple):
    """What devices on one line have in common."""

    host: str
    port: int
    framing: Framing
    serial: Serial | None

    @property
    def name(self) -> str:
        """For people, and the same for all who share the line."""
        return self.serial.port if self.serial is not None else f"{self.host}:{self.port}"


class LineSettings(DeviceSettings):
    """One unit of a line: either ``host``, or ``serial``."""

    host: str | None = Field(default=None, min_length=1, max_length=253)
    port: int = Field(default=limits.PORT, ge=1, le=65_535)
    framing: Framing = Framing.TCP
    """``rtu`` for converters that hand through what comes over the serial line."""
    serial: Serial | None = None
    unit: int = Field(default=1, ge=0, le=limits.MAX_UNIT)
    """Unit id; of a gateway to serial lines the address of the device behind it."""
    turnaround_s: float = Field(default=0.005, ge=0, le=10)
    """How long the device thinks before it answers; only for planning."""
    baud_rate: int | None = Field(default=None, ge=300, le=1_000_000)
    """Speed of the serial line behind a gateway. Empty for plain Ethernet."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        only_tcp = {"port", "baud_rate", "host"} & self.model_fields_set
        for wrong, msg in (
            (
                self.host is None and self.serial is None,
                "give 'host' for a device on the network, or 'serial' for one on a serial line",
            ),
            (
                self.serial is not None and bool(only_tcp),
                f"leave out '{next(iter(sorted(only_tcp)), '')}': it does not go with 'serial'",
            ),
            (
                self.place.framing is Framing.RTU and self.unit == 0,
                "unit 0 is everybody on an RTU line, and nobody answers",
            ),
            (
                self.serial is not None and not 0 < self.unit <= limits.MAX_SERIAL_UNIT,
                f"unit {self.unit} does not exist on a serial line: 1 to 247 do",
            ),
        ):
            if wrong:
                raise ValueError(msg)
        return self

    @property
    def place(self) -> Place:
        """The line that leads there."""
        if self.serial is not None:
            return Place("", 0, Framing.RTU, self.serial)
        return Place(self.host or "", self.port, self.framing, None)

    @property
    def byte_seconds(self) -> float | None:
        """Time of a byte on the serial part of the way; None where there is none."""
        if self.serial is not None:
            return self.serial.byte_seconds
        if self.baud_rate is not None:
            return limits.SERIAL_BITS_PER_BYTE / self.baud_rate
        return None

    @property
    def silence_s(self) -> float:
        """Pause before and after each frame of the serial part of the way."""
        if self.serial is not None:
            return self.serial.silence_s
        return limits.SERIAL_SILENCE_BYTES * (self.byte_seconds or 0.0)

    @property
    def at(self) -> str:
        """Where the device is, for people."""
        return f"{self.place.name} unit {self.unit}"
