import errno

import pytest
import serial
import serial.rs485

from components.modbus.line_settings import Framing, Place, Rs485, Serial
from components.modbus.opening import Port, open_client
from edge_runtime.errors import DeviceUnreachableError


class Switch(Port):
    """A port whose driver takes any setting."""

    def __init__(self):
        self.sync_serial = type("Port", (), {"rs485_mode": None})()


def test_rs485_settings_reach_the_ports_driver():
    port = Switch()
    port.switch_rs485(Rs485(rts_level_for_tx=False, loopback=True, delay_before_tx_s=0.002))
    mode = port.sync_serial.rs485_mode
    assert isinstance(mode, serial.rs485.RS485Settings)
    assert (mode.rts_level_for_tx, mode.rts_level_for_rx, mode.loopback) == (False, False, True)
    assert (mode.delay_before_tx, mode.delay_before_rx) == (0.002, 0.0)


async def test_port_that_cannot_be_opened_says_why(tmp_path):
    place = Place("", 0, Framing.RTU, Serial(port=str(tmp_path / "none")))
    with pytest.raises(DeviceUnreachableError, match="No such file") as caught:
        await open_client(place, "rtu", lambda up: None, lambda sending, data: data)
    assert caught.value.__cause__.errno == errno.ENOENT
    assert "dialout" in caught.value.hint
