"""Puts simulated devices on the wire with pymodbus's server."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.modbus.identity import told
from simulators.modbus.image import Image
from simulators.modbus.plant import FIRST_PORT, PLANT, PORTS, Model, PlantDevice, Simulated, never
from simulators.modbus.spoiling import Spoil, sound

LOOPBACK = "127.0.0.1"
READ_INPUTS = 4
BIT_FUNCTIONS = frozenset({1, 2, 5, 15})
WORD_BITS = 16
ADDRESSES = 65_536
ANYBODY = 0
NOWHERE = 0xFFF0
SERIAL_BAUD = 19_200
Silent = Callable[[float], bool]
NO_UNITS: Mapping[int, Silent] = {}
NAMELESS: Mapping[int, str] = {}
OnPacket = Callable[[bool, bytes], bytes]
Action = Callable[..., Coroutine[Any, Any, ExcCodes | None]]


@asynccontextmanager
async def serve(
    units: Mapping[int, Model],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    rtu: bool = False,
    silent: Silent = never,
    silent_units: Mapping[int, Silent] = NO_UNITS,
    spoil: Spoil = sound,
    products: Mapping[int, str] = NAMELESS,
) -> AsyncIterator[int]:
    """Serve devices by unit id on one port, with ``rtu`` as a converter does; gives the port.

    Their time starts now. While ``silent`` (by seconds after the start) nobody answers, and of RTU
    units none for which ``silent_units`` says so. ``spoil`` changes answers on their way.
    ``products`` is what they say of themselves, by unit.

    Raises:
        OSError: the port is taken.

    """
    devices, on_packet = _bring_up(units, silent, silent_units, spoil, rtu=rtu, products=products)
    framer = FramerType.RTU if rtu else FramerType.SOCKET
    server = ModbusTcpServer(devices, framer=framer, address=(host, port), trace_packet=on_packet)
    try:
        await server.serve_forever(background=True)
    except RuntimeError as exc:
        raise OSError(errno.EADDRINUSE, f"cannot listen on {host}:{port}") from exc
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    finally:
        server.close()


@asynccontextmanager
async def serve_serial(
    units: Mapping[int, Model],
    path: str,
    *,
    baudrate: int = SERIAL_BAUD,
    silent_units: Mapping[int, Silent] = NO_UNITS,
    spoil: Spoil = sound,
    products: Mapping[int, str] = NAMELESS,
) -> AsyncIterator[None]:
    """Serve devices by unit id on a serial port, 8 bits, no parity, one stop bit.

    Raises:
        OSError: the port cannot be opened.

    """
    devices, on_packet = _bring_up(units, never, silent_units, spoil, rtu=True, products=products)
    server = ModbusSerialServer(devices, port=path, baudrate=baudrate, trace_packet=on_packet)
    try:
        await server.serve_forever(background=True)
    except RuntimeError as exc:
        raise OSError(errno.ENXIO, f"cannot open {path}") from exc
    try:
        yield
    finally:
        server.close()


def _bring_up(
    units: Mapping[int, Model],
    silent: Silent,
    silent_units: Mapping[int, Silent],
    spoil: Spoil,
    *,
    rtu: bool,
    products: Mapping[int, str],
) -> tuple[list[SimDevice], OnPacket]:
    """Start the devices' time; gives them, and what looks at each packet on its way."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    def elapsed() -> float:
        return loop.time() - start

    def on_packet(sending: bool, data: bytes) -> bytes:
        if not sending:
            return data
        # pymodbus answers for units that are not there; on a serial line nobody would.
        absent = rtu and (data[0] not in units or silent_units.get(data[0], never)(elapsed()))
        return b"" if absent or silent(elapsed()) else spoil(told(data, products, rtu=rtu))

    now = datetime.now().astimezone()
    midnight_s = now.hour * 3600.0 + now.minute * 60 + now.second
    devices = [
        _device(unit, Simulated(model, midnight_s=midnight_s), elapsed)
        for unit, model in units.items()
    ]
    return [*devices, _nobody()], on_packet


@asynccontextmanager
async def serve_plant(
    *, host: str = LOOPBACK, first_port: int = FIRST_PORT, seed: int = 0
) -> AsyncIterator[dict[str, tuple[PlantDevice, int]]]:
    """Serve the demo plant; gives each device and its port by name. First port 0: free ones."""
    async with AsyncExitStack() as stack:
        found = {}
        for offset in range(PORTS):
            devices = [device for device in PLANT if device.port == offset]
            port = await stack.enter_async_context(
                serve(
                    {device.unit: device.model(seed + device.unit) for device in devices},
                    host=host,
                    port=first_port + offset if first_port else 0,
                    silent=devices[0].silent,
                    products={device.unit: device.product for device in devices},
                )
            )
            found.update({device.name: (device, port) for device in devices})
        yield found


def plant_on_a_line(seed: int = 0) -> dict[int, tuple[PlantDevice, Model]]:
    """Give the demo plant as units 1 to 4 of one serial line."""
    return {unit: (device, device.model(seed + unit)) for unit, device in enumerate(PLANT, start=1)}


@asynccontextmanager
async def serve_plant_line(
    *, path: str = "", baudrate: int = SERIAL_BAUD, host: str = LOOPBACK, port: int = FIRST_PORT,
    seed: int = 0, spoil: Spoil = sound,
) -> AsyncIterator[tuple[int, dict[str, tuple[PlantDevice, int]]]]:  # fmt: skip
    """Serve it on a serial port, or without one by RTU over TCP.

    Gives the port over TCP, and devices with their units by name.

    Raises:
        OSError: the port cannot be opened, or is taken.

    """
    plant = plant_on_a_line(seed)
    units = {unit: model for unit, (_, model) in plant.items()}
    silent = {unit: device.silent for unit, (device, _) in plant.items()}
    found = {device.name: (device, unit) for unit, (device, _) in plant.items()}
    products = {unit: device.product for unit, (device, _) in plant.items()}
    if path:
        async with serve_serial(
            units, path, baudrate=baudrate, silent_units=silent, spoil=spoil, products=products
        ):
            yield 0, found
        return
    async with serve(
        units, host=host, port=port, rtu=True, silent_units=silent, spoil=spoil, products=products
    ) as listening:
        yield listening, found


async def run_plant(
    host: str = LOOPBACK,
    first_port: int = FIRST_PORT,
    *,
    seed: int = 0,
    ready: Callable[[dict[str, tuple[PlantDevice, int]]], None] | None = None,
) -> None:
    """Serve the demo plant until cancelled; ``ready`` is called once everybody listens."""
    async with serve_plant(host=host, first_port=first_port, seed=seed) as devices:
        if ready is not None:
            ready(devices)
        await asyncio.Event().wait()


def _device(unit: int, simulated: Simulated, elapsed: Callable[[], float]) -> SimDevice:
    image = simulated.model.image()
    tables = (
        _bits(image.coils),
        _bits(image.discretes),
        _words(image.holding),
        _words(image.inputs),
    )
    return SimDevice(unit, tables, action=_action(simulated, elapsed))


def _nobody() -> SimDevice:
    """Make what pymodbus asks when there is no such unit: it says so as a gateway does."""

    async def refuse(*_: object) -> ExcCodes:
        return ExcCodes.GATEWAY_NO_RESPONSE

    everything = SimData(0, count=ADDRESSES, values=0, datatype=DataType.REGISTERS)
    return SimDevice(ANYBODY, [everything], action=refuse)


def _action(simulated: Simulated, elapsed: Callable[[], float]) -> Action:
    """Make what pymodbus calls before it answers: it fills the registers with what is true now."""

    async def refresh(  # noqa: PLR0917 - pymodbus's signature
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        _ = count
        simulated.advance(elapsed())
        if values is not None:
            if function in BIT_FUNCTIONS:
                return ExcCodes.ILLEGAL_VALUE
            simulated.model.write(address, [int(value) for value in values])
            return None
        _fill(simulated.model.image(), function, start, registers)
        return None

    return refresh


def _fill(image: Image, function: int, start: int, registers: list[int]) -> None:
    if function in BIT_FUNCTIONS:
        for place, bit in (image.coils if function == 1 else image.discretes).items():
            word, mask = place // WORD_BITS - start, 1 << place % WORD_BITS
            registers[word] = registers[word] & ~mask | (mask if bit else 0)
        return
    table = image.inputs if function == READ_INPUTS else image.holding
    for place, word in table.items():
        registers[place - start] = word


def _words(table: Mapping[int, int]) -> list[SimData]:
    """Make one block a register: what is between them answers exception 2."""
    if not table:
        return [SimData(0, datatype=DataType.INVALID)]
    return [SimData(place, values=table[place], datatype=DataType.REGISTERS) for place in table]


def _bits(table: Mapping[int, bool]) -> list[SimData]:
    known = table or {NOWHERE: False}  # pymodbus wants at least one
    return [SimData(place, values=known[place], datatype=DataType.BITS) for place in known]
