"""What lies beneath a reading."""

from components.modbus.driver import driver
from edge_runtime.driver import Inspectable
from edge_runtime.model import Quality
from simulators.modbus.faults import FaultyDevice, serve_faulty
from simulators.modbus.image import words_of

POINTS = [
    {"name": "real", "address": 2, "type": "float32", "word_order": "CDAB"},
    {"name": "flag", "address": 2, "bit": 3},
    {"name": "tripped", "table": "discrete", "address": 9, "kind": "boolean"},
    {"name": "absent", "address": 50},
]


async def test_registers_are_shown_as_they_came():
    registers = dict(enumerate(words_of("float32", 1.5, "CDAB"), start=2))
    device = FaultyDevice(registers={0: 0, 1: 0, **registers}, coils={8: False, 9: True})
    async with serve_faulty(device) as port:
        settings = driver.settings(name="device", host="127.0.0.1", port=port, points=POINTS)
        async with driver.open_device(settings) as opened:
            assert isinstance(opened, Inspectable)
            found = {i.reading.point: i for i in await opened.inspect([p["name"] for p in POINTS])}
    assert (found["real"].reading.value, found["real"].shown) == (1.5, "holding 2 to 3")
    assert found["real"].data == b"\x00\x00\x3f\xc0"
    assert (found["flag"].shown, found["flag"].data) == ("holding 2 bit 3", b"\0\0")
    assert (found["tripped"].shown, found["tripped"].data) == ("discrete 9", b"\1")
    assert (found["absent"].reading.quality, found["absent"].data) == (Quality.BAD, b"")
