"""Where a point lies in a Modbus device, and how the device is reached.

Addresses are those of the protocol and count from 0: the "40001" or "register 1" of a manual is
address 0 of the table ``holding`` here.
"""

import codecs
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from components.modbus import limits
from components.modbus.line_settings import LineSettings
from edge_runtime import model


class Table(StrEnum):
    """The four tables of a device (application 4.3)."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def is_bits(self) -> bool:
        """Whether an address holds one bit and not 16."""
        return self in {Table.COIL, Table.DISCRETE}

    @property
    def plural(self) -> str:
        """The plural for people."""
        return _TITLES[self]

    @property
    def read_function(self) -> int:
        """Function code that reads it."""
        return _READ_FUNCTIONS[self]


_TITLES = {
    Table.COIL: "coils",
    Table.DISCRETE: "discrete inputs",
    Table.HOLDING: "holding registers",
    Table.INPUT: "input registers",
}
_READ_FUNCTIONS = {
    Table.COIL: limits.READ_COILS,
    Table.DISCRETE: limits.READ_DISCRETE_INPUTS,
    Table.HOLDING: limits.READ_HOLDING_REGISTERS,
    Table.INPUT: limits.READ_INPUT_REGISTERS,
}


class RegisterType(StrEnum):
    """What the registers of a point hold together."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"

    @property
    def is_float(self) -> bool:
        """Whether a value may be NaN."""
        return self in {RegisterType.FLOAT32, RegisterType.FLOAT64}


_REGISTERS = {
    RegisterType.INT16: 1,
    RegisterType.UINT16: 1,
    RegisterType.INT32: 2,
    RegisterType.UINT32: 2,
    RegisterType.FLOAT32: 2,
    RegisterType.INT64: 4,
    RegisterType.UINT64: 4,
    RegisterType.FLOAT64: 4,
}


class WordOrder(StrEnum):
    """The order on the wire of the bytes A B C D of a 32-bit value, A the most significant.

    64-bit values follow the same pattern. Of a string only the order within a register matters.
    """

    ABCD = "ABCD"
    """Big-endian: the standard's order (application 4.2) carried on to more registers."""
    CDAB = "CDAB"
    """The low register first, each register as the standard has it."""
    BADC = "BADC"
    """The high register first, the bytes of each register swapped: many users of libmodbus."""
    DCBA = "DCBA"
    """Little-endian throughout."""


class Point(model.Point):
    """One value in the tables of a device."""

    table: Table = Table.HOLDING
    address: int = Field(ge=0, lt=limits.ADDRESSES)
    """First address, counted from 0."""
    type: RegisterType | None = None
    """``uint16`` by default; coils and discrete inputs have none."""
    length: int | None = Field(default=None, ge=1, le=limits.MAX_READ_REGISTERS)
    """Registers of a string."""
    encoding: str = "ascii"
    """Of a string: ``ascii``, ``utf-8``, ``latin-1`` and what else Python knows."""
    word_order: WordOrder | None = None
    """The device's by default."""

    @property
    def register_type(self) -> RegisterType:
        """The type of a register point."""
        return self.type or RegisterType.UINT16

    @property
    def size(self) -> int:
        """Addresses that the point takes."""
        return 1 if self.table.is_bits else _REGISTERS.get(self.register_type, self.length or 1)

    @property
    def end(self) -> int:
        """The address after its last."""
        return self.address + self.size

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            msg = f"'{value}' is no text encoding; ascii, utf-8 and latin-1 are"
            raise ValueError(msg) from None
        return value

    @model_validator(mode="after")
    def _fits_its_table(self) -> Self:
        for wrong, msg in (
            (
                self.table.is_bits and (self.type is not None or self.bit is not None),
                f"a point in the table '{self.table}' is one bit: leave out 'type' and 'bit'",
            ),
            (
                (self.register_type is RegisterType.STRING) != (self.length is not None),
                "'length' (in registers) belongs to the type 'string', and to no other",
            ),
            (
                self.bit is not None
                and (
                    self.register_type is RegisterType.STRING
                    or self.register_type.is_float
                    or self.bit >= 16 * self.size
                ),
                f"bit {self.bit} does not exist in a {self.register_type}",
            ),
            (
                self.end > limits.ADDRESSES,
                f"addresses {self.address} to {self.end - 1} pass the end of the table, 65535",
            ),
        ):
            if wrong:
                raise ValueError(msg)
        return self


class AddressRange(BaseModel):
    """Addresses ``first`` to ``last`` of a table, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: Table
    first: int = Field(ge=0, lt=limits.ADDRESSES)
    last: int = Field(ge=0, lt=limits.ADDRESSES)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            msg = f"first {self.first} is above last {self.last}"
            raise ValueError(msg)
        return self


class Settings(LineSettings):
    """One unit of a line, and its points."""

    word_order: WordOrder = WordOrder.ABCD
    max_registers: int = Field(
        default=limits.MAX_READ_REGISTERS, ge=1, le=limits.MAX_READ_REGISTERS
    )
    """Most registers that the device gives in one answer."""
    max_coils: int = Field(default=limits.MAX_READ_BITS, ge=1, le=limits.MAX_READ_BITS)
    """Most coils or discrete inputs that the device gives in one answer."""
    max_gap: int = Field(default=32, ge=0, le=limits.MAX_READ_BITS)
    """Most unwanted addresses that are read along to save a request."""
    unreadable: tuple[AddressRange, ...] = ()
    """Addresses that must not be touched, not even between two points."""
    points: tuple[Point, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _points_can_be_read(self) -> Self:
        for point in self.points:
            most = self.max_coils if point.table.is_bits else self.max_registers
            if point.size > most:
                msg = f"point '{point.name}' takes {point.size} registers, the device gives {most}"
                raise ValueError(msg)
            for hole in self.unreadable:
                if (
                    hole.table is point.table
                    and hole.first < point.end
                    and point.address <= hole.last
                ):
                    msg = (
                        f"point '{point.name}' lies in the unreadable range "
                        f"{hole.first} to {hole.last} of the table '{hole.table}'"
                    )
                    raise ValueError(msg)
        return self
