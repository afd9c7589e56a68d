"""What a line needs to know of the frames on it: the seam between the line, TCP and RTU."""

from typing import NamedTuple, Protocol

from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from edge_runtime.errors import DeviceError


class Sifted(NamedTuple):
    """What received bytes come to."""

    fresh: bytes
    """What pymodbus may see; the rest is thrown away."""
    trouble: DeviceError | None = None
    """Why no answer can be expected any more."""
    waiting: bytes = b""
    """What is looked at again when more bytes have come, if nothing is fresh yet."""


class Framing(Protocol):
    """Frames of one connection; knows what was asked and what may still arrive late."""

    framer: FramerType

    def ask(self, request: ModbusPDU) -> None:
        """Note the request that is answered next."""
        ...

    def note_sent(self, packet: bytes) -> None:
        """Note the bytes of that request."""
        ...

    def sift(self, data: bytes) -> Sifted:
        """Look at all bytes received since the request was sent."""
        ...

    def note_timeout(self) -> None:
        """Note that the answer did not come in time; it may come late."""
        ...

    def silence(self, data: bytes) -> str:
        """Say what was heard in the place of an answer; empty when it is not worth a word."""
        ...

    def half(self, data: bytes) -> bool:
        """Tell whether these bytes of an answer that stopped spoil the connection."""
        ...

    def doubts(self, request: ModbusPDU) -> ModbusPDU | None:
        """Give a request to ask first when a late answer could be taken for this one's."""
        ...
