"""Limits of the standard, with the clause beside each.

MODBUS Application Protocol Specification V1.1b3 ("application"), MODBUS Messaging on TCP/IP
Implementation Guide V1.0b ("messaging"), MODBUS over Serial Line V1.02 ("serial").
"""

ADDRESSES = 65_536
"""Addresses of each table, 0 to 65535 (application 4.4)."""
MAX_READ_REGISTERS = 125
"""Registers in one answer (application 6.3 and 6.4)."""
MAX_READ_BITS = 2_000
"""Coils or discrete inputs in one answer (application 6.1 and 6.2)."""
MAX_WRITE_REGISTERS = 123
"""Registers in one write (application 6.12)."""
MAX_UNIT = 255
"""Unit ids are a byte; 255 means the TCP device itself (messaging 4.4.2)."""
MAX_SERIAL_UNIT = 247
"""0 is for all, 248 to 255 are reserved (serial 2.2)."""
PORT = 502
"""Messaging 4.3.1."""

MBAP_BYTES = 7
"""Transaction, protocol, length, unit id (messaging 3.1.3)."""
MAX_PDU_BYTES = 253
"""Application 4.1."""
READ_REQUEST_BYTES = MBAP_BYTES + 5
"""Function code, address, count (application 6.1 to 6.4)."""
READ_ANSWER_BYTES = MBAP_BYTES + 2
"""Function code and byte count, before the data (application 6.1 to 6.4)."""

SERIAL_BITS_PER_BYTE = 11
"""Start, eight data bits, parity, stop (serial 2.5.1)."""
SERIAL_SILENCE_BYTES = 3.5
"""Pause before and after each frame (serial 2.5.1.1)."""
SERIAL_FAST_BAUD = 19_200
SERIAL_FAST_SILENCE_S = 0.00175
"""Above that speed the pause no longer shrinks (serial 2.5.1.1)."""
SERIAL_FRAMING_BYTES = 3
"""Unit id and CRC around a PDU (serial 2.5.1)."""
SERIAL_CRC_BYTES = 2
MAX_RTU_BYTES = 256
"""Unit id, PDU, CRC (serial 2.5.1)."""

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_REGISTERS = 16
READ_IDENTIFICATION = 43
IDENTIFICATION_TYPE = 14
"""Application 6.21: function 43 with this type reads the identification."""
ERROR_FLAG = 0x80
"""Set in the function code of an answer that is an exception (application 7)."""

ILLEGAL_FUNCTION = 0x01
ILLEGAL_ADDRESS = 0x02
ILLEGAL_VALUE = 0x03
DEVICE_FAILURE = 0x04
ACKNOWLEDGE = 0x05
DEVICE_BUSY = 0x06
MEMORY_PARITY_ERROR = 0x08
GATEWAY_PATH_UNAVAILABLE = 0x0A
GATEWAY_NO_ANSWER = 0x0B
EXCEPTIONS = {
    ILLEGAL_FUNCTION: "illegal function",
    ILLEGAL_ADDRESS: "illegal data address",
    ILLEGAL_VALUE: "illegal data value",
    DEVICE_FAILURE: "device failure",
    ACKNOWLEDGE: "acknowledge, still working on it",
    DEVICE_BUSY: "device busy",
    MEMORY_PARITY_ERROR: "memory parity error",
    GATEWAY_PATH_UNAVAILABLE: "gateway path unavailable",
    GATEWAY_NO_ANSWER: "gateway target device failed to respond",
}
"""Exception codes (application 7)."""
