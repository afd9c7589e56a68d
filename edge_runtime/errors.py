"""What goes wrong on the edge.

EdgeError
├── SettingsError            a file that people write is wrong; nothing was started
├── AlreadyRunsError         another process holds the state folder
├── DeviceError              retryable
│   ├── DeviceUnreachableError   no connection, no answer
│   └── DeviceRefusedError       the device answered, with an error for the whole request
├── AdapterLinkError         retryable: runtime and adapter do not understand each other any more
└── StoreError
    ├── StoreDamagedError        a segment or document does not verify
    └── StoreFullError           a cap was reached, or the disk is full
"""

from typing import ClassVar


class EdgeError(Exception):
    """Something went wrong on the gateway."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, hint: str = "") -> None:
        """``hint`` tells the person on site what to do next."""
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.hint = hint


class SettingsError(EdgeError):
    """The settings cannot be used."""


class AlreadyRunsError(EdgeError):
    """Another process of this gateway runs already."""

    def __init__(self, message: str | None = None, *, hint: str = "") -> None:
        """Say what to do about it."""
        super().__init__(
            message, hint=hint or "stop it first, or give this gateway a state_dir of its own"
        )


class DeviceError(EdgeError):
    """The device could not be read."""

    retryable = True


class DeviceUnreachableError(DeviceError):
    """The device did not answer."""


class DeviceRefusedError(DeviceError):
    """The device refused the whole request."""


class AdapterLinkError(EdgeError):
    """The line between an adapter and the runtime broke."""

    retryable = True


class StoreError(EdgeError):
    """The store on disk could not be used."""

    retryable = True


class StoreDamagedError(StoreError):
    """A file of the store does not verify."""

    retryable = False


class StoreFullError(StoreError):
    """The store is full."""
