"""What a simulated device says of itself by function 43 with type 14.

pymodbus keeps one identification for all servers of a process, so its answers are replaced on their
way: each device has a name of its own.
"""

from collections.abc import Mapping

from pymodbus.framer.rtu import FramerRTU

VENDOR = "Tidegate"
REVISION = "1.0"
FUNCTION = 43
HEAD = bytes((FUNCTION, 14, 1, 1, 0, 0, 3))
"""Function, type, basic objects, conformity basic, nothing more, no next object, three objects."""
MBAP_BYTES = 7


def told(answer: bytes, products: Mapping[int, str], *, rtu: bool) -> bytes:
    """Give an answer with the device's own identification where it is one; others as they are."""
    at = 1 if rtu else MBAP_BYTES
    unit = answer[at - 1] if len(answer) > at else -1
    if unit not in products or answer[at] != FUNCTION:
        return answer
    texts = [text.encode() for text in (VENDOR, products[unit], REVISION)]
    body = HEAD + b"".join(bytes((i, len(text))) + text for i, text in enumerate(texts))
    if rtu:
        frame = bytes((unit,)) + body
        return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")
    return answer[:4] + (1 + len(body)).to_bytes(2, "big") + bytes((unit,)) + body
