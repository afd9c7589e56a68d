"""Trust in a value: three classes with a reason, after the severities of OPC UA (Part 8, A.4.3)."""

from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """How far a value may be trusted. A bad reading never carries a value."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reason(StrEnum):
    """Why a reading is not good. Drivers may add text after a colon: ``device_error:0x02``."""

    NONE = ""
    STALE = "stale"
    """Nothing new arrived within the promised interval."""
    NO_ANSWER = "no_answer"
    """The device did not answer."""
    DEVICE_ERROR = "device_error"
    """The device answered with an error."""
    NOT_IMPLEMENTED = "not_implemented"
    """The device says that it does not have this value (sentinel, NaN)."""
    OUT_OF_RANGE = "out_of_range"
    """The value is outside the limits of the point; it was clamped."""
    CONFIGURATION = "configuration"
    """The point does not fit the device: wrong address, type or length."""
    UNKNOWN_LABEL = "unknown_label"
    """An enumeration has no label for the value that was read."""
    CLOCK_UNSYNCHRONISED = "clock_unsynchronised"
    """The value is as good as its quality says; its time is in doubt. Said by the cloud."""
    CLOCK_REPAIRED = "clock_repaired"
    """The value is as good as its quality says; its time was corrected. Said by the cloud."""
