"""Which field of which model a point shows; the rest follows from the model's definition."""

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from components.modbus import limits
from components.modbus.line_settings import LineSettings
from components.sunspec.definitions import (
    UnknownFieldError,
    UnknownModelError,
    definition,
    known_models,
)
from components.sunspec.layout import Target
from components.sunspec.values import BITFIELDS, kind_of, unit_of
from edge_runtime import model
from edge_runtime.model import Access, PointKind

MAX_INDEX = 10_000
Fields = dict[str, Any]


class Point(model.Point):
    """One field of a SunSpec model; kind, unit, labels and access come from the model."""

    model: int = Field(ge=1, lt=limits.ADDRESSES)
    """Id of the model, such as 103."""
    field: str = Field(min_length=1, max_length=100)
    """Name of the model's point: ``W``; in a group ``module.DCW``, or ``DCW`` where that is clear."""
    index: tuple[int, ...] = ()
    """Which of a repeating group, from 1; a list where groups repeat within groups."""
    instance: int = Field(default=1, ge=1, le=100)
    """Which one, where the device has the model more than once."""
    flag: str = ""
    """Name of one bit of a bit field, such as ``OVER_TEMP``; makes the point a boolean."""

    @model_validator(mode="before")
    @classmethod
    def _filled_from_the_model(cls, values: Any) -> Any:
        return _filled(dict(values)) if isinstance(values, dict) else values

    @field_validator("index", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        groups, field = definition(self.model).find(self.field)
        repeating = [group.name for group in groups if group.repeats]
        if len(self.index) != len(repeating):
            wanted = (
                f"one 'index' for each of {', '.join(repeating)}" if repeating else "no 'index'"
            )
            msg = f"'{self.field}' of model {self.model} takes {wanted}"
            raise ValueError(msg)
        if any(not 1 <= place <= MAX_INDEX for place in self.index):
            msg = "'index' counts from 1"
            raise ValueError(msg)
        if self.bit is not None and field.type not in BITFIELDS:
            msg = f"'{self.field}' is a {field.type}: only bit fields have bits and flags"
            raise ValueError(msg)
        return self

    @property
    def target(self) -> Target:
        """What to look for on the device."""
        return Target(self.model, self.instance, self.field, self.index)


def _filled(values: Fields) -> Fields:
    """Fill in what the model's definition says and the point leaves open."""
    number, name = values.get("model"), values.get("field")
    if not isinstance(number, int) or not isinstance(name, str):
        return values
    try:
        _, field = definition(number).find(name)
    except UnknownModelError as exc:
        msg = f"{exc}; pysunspec2 knows {len(known_models())}"
        raise ValueError(msg) from exc
    except UnknownFieldError as exc:
        raise ValueError(_with_names(str(exc), number)) from exc
    if flag := values.get("flag"):
        bits = {symbol: bit for bit, symbol in field.symbols.items()}
        if flag not in bits:
            msg = f"'{name}' of model {number} has no flag '{flag}'; it has {', '.join(bits)}"
            raise ValueError(msg)
        values.setdefault("bit", bits[flag])
    kind = PointKind.BOOLEAN if values.get("bit") is not None else kind_of(field)
    values.setdefault("kind", kind)
    values.setdefault("unit", "" if kind is PointKind.BOOLEAN else unit_of(field))
    values.setdefault("description", field.label[:200])
    if values["kind"] == PointKind.ENUMERATION:
        values.setdefault("labels", dict(field.symbols))
    if field.writable:
        values.setdefault("access", Access.READ_WRITE)
    return values


def _with_names(text: str, number: int) -> str:
    names = definition(number).names()
    return text if "ambiguous" in text else f"{text}; it has {', '.join(names[2:])}"


class Settings(LineSettings):
    """One SunSpec device."""

    base: int | None = Field(default=None, ge=0, lt=limits.ADDRESSES)
    """Address of the marker ``SunS``; without it 40000, 50000 and 0 are tried."""
    max_registers: int = Field(
        default=limits.MAX_READ_REGISTERS, ge=4, le=limits.MAX_READ_REGISTERS
    )
    """Most registers that the device gives in one answer."""
    points: tuple[Point, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _points_can_be_read(self) -> Self:
        for point in self.points:
            _, field = definition(point.model).find(point.field)
            if field.size > self.max_registers:
                msg = (
                    f"point '{point.name}' takes {field.size} registers, "
                    f"the device gives {self.max_registers}"
                )
                raise ValueError(msg)
        return self
