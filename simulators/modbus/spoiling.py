"""A bad line: some answers of any RTU server arrive spoiled, or not at all."""

import random
from collections.abc import Callable

from simulators.modbus.faulty_rtu import CRC_BYTES, sealed

MAX_NOISE_BYTES = 12
Spoil = Callable[[bytes], bytes]
"""Changes a whole answer on its way."""


def sound(answer: bytes) -> bytes:
    """Leave an answer alone."""
    return answer


class Spoiler:
    """Spoils one answer in ``1 / share``; the same seed spoils the same ones."""

    def __init__(self, share: float, seed: int = 0) -> None:
        self._share = share
        self._rng = random.Random(seed)
        self._ways: tuple[Spoil, ...] = (
            lambda _: b"",
            self._half,
            self._flipped,
            self._noisy,
            self._drowned,
            self._of_another_unit,
        )

    def __call__(self, answer: bytes) -> bytes:
        """Give what arrives."""
        if self._rng.random() >= self._share:
            return answer
        return self._rng.choice(self._ways)(answer)

    def _half(self, answer: bytes) -> bytes:
        return answer[: self._rng.randrange(1, len(answer))]

    def _flipped(self, answer: bytes) -> bytes:
        wrong = bytearray(answer)
        wrong[self._rng.randrange(len(wrong))] ^= 1 << self._rng.randrange(8)
        return bytes(wrong)

    def _noise(self) -> bytes:
        return self._rng.randbytes(self._rng.randint(1, MAX_NOISE_BYTES))

    def _noisy(self, answer: bytes) -> bytes:
        return self._noise() + answer

    def _drowned(self, answer: bytes) -> bytes:
        _ = answer
        return self._noise()

    def _of_another_unit(self, answer: bytes) -> bytes:
        return sealed(bytes([answer[0] ^ 1]) + answer[1:-CRC_BYTES])
