"""Opens pymodbus's clients: the only place that knows whether a line is a socket or a port."""

import asyncio
import errno
import termios
from collections.abc import Callable

import serial.rs485
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.framer import FramerType
from pymodbus.transport.serialtransport import SerialTransport

from components.modbus.errors import (
    BUSY_HINT,
    PORT_HINT,
    SETTINGS_HINT,
    mapped,
)
from components.modbus.frames import RAW_ANSWERS
from components.modbus.line_settings import Parity, Place, Rs485, Serial
from edge_runtime.errors import DeviceError, DeviceUnreachableError

NO_TIMEOUT: float = None  # type: ignore[assignment]
"""pymodbus hands it to ``asyncio.wait_for``, which then waits without a timer of its own."""
Client = AsyncModbusTcpClient | AsyncModbusSerialClient
OnConnect = Callable[[bool], None]
OnPacket = Callable[[bool, bytes], bytes]

_PARITIES = {Parity.NONE: "N", Parity.EVEN: "E", Parity.ODD: "O"}
_HINTS = {errno.EBUSY: BUSY_HINT, errno.EAGAIN: BUSY_HINT}


class Port(SerialTransport):
    """A serial port for pymodbus.

    Its own class sets the port up twice, and when the second time is refused it leaves the port
    locked until the garbage is collected.
    """

    def __init__(self, protocol: asyncio.BaseProtocol, settings: Serial) -> None:
        asyncio.Transport.__init__(self)
        self.async_loop = asyncio.get_running_loop()
        self.intern_protocol = protocol
        self.intern_write_buffer: list[bytes] = []
        self.poll_task = None
        self.sync_serial = serial.Serial(
            settings.port,
            baudrate=settings.baudrate,
            parity=_PARITIES[settings.parity],
            stopbits=settings.stop_bits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )

    def switch_rs485(self, settings: Rs485) -> None:
        """Let the port's driver switch the transceiver."""
        self.sync_serial.rs485_mode = serial.rs485.RS485Settings(
            rts_level_for_tx=settings.rts_level_for_tx,
            rts_level_for_rx=settings.rts_level_for_rx,
            loopback=settings.loopback,
            delay_before_tx=settings.delay_before_tx_s,
            delay_before_rx=settings.delay_before_rx_s,
        )


async def open_client(
    place: Place, framer: FramerType, on_connect: OnConnect, on_packet: OnPacket
) -> Client:
    """Connect, or open the port.

    Raises:
        DeviceUnreachableError: that was not possible.

    """
    client: Client
    if place.serial is not None:
        client = AsyncModbusSerialClient(
            place.serial.port, framer=framer, timeout=NO_TIMEOUT, retries=0, reconnect_delay=0,
            trace_connect=on_connect, trace_packet=on_packet,
        )  # fmt: skip
    else:
        client = AsyncModbusTcpClient(
            place.host, port=place.port, framer=framer, timeout=NO_TIMEOUT, retries=0,
            reconnect_delay=0, trace_connect=on_connect, trace_packet=on_packet,
        )  # fmt: skip
    for answer in RAW_ANSWERS:
        client.register(answer)
    try:
        if place.serial is not None:
            await _open_port(client, place.serial)
        else:
            # connect() would log and swallow the reason
            client.ctx.transport, _ = await client.ctx.call_create()
    except (OSError, UnicodeError, ValueError, termios.error) as exc:
        client.close()
        raise _explained(exc, place) from exc
    return client


async def _open_port(client: Client, settings: Serial) -> None:
    port = Port(client.ctx, settings)
    port.setup()
    await asyncio.sleep(0)  # pymodbus takes the port in a turn of its own
    client.ctx.transport = port
    if settings.rs485 is not None:
        port.switch_rs485(settings.rs485)


def _explained(exc: Exception, place: Place) -> DeviceError:
    """Say why; the name of a host may be no name at all, and a port may refuse its settings."""
    if place.serial is None and isinstance(exc, OSError | UnicodeError):
        return mapped(exc, place.name)
    if isinstance(exc, OSError):
        return _port_trouble(exc, place.name)
    return DeviceUnreachableError(
        f"{place.name} refuses its settings: {_in_words(place.serial)}: {exc}", hint=SETTINGS_HINT
    )


def _port_trouble(exc: OSError, name: str) -> DeviceError:
    reason = exc.strerror or str(exc)
    hint = _HINTS.get(exc.errno or 0, PORT_HINT)
    return DeviceUnreachableError(f"{name} cannot be opened: {reason}", hint=hint)


def _in_words(settings: Serial | None) -> str:
    if settings is None:
        return "none"
    switched = ", RS-485" if settings.rs485 is not None else ""
    return f"{settings.baudrate} baud, parity {settings.parity}{switched}"
