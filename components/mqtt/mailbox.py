"""What waits for a device's reader: bounded, the oldest of a topic gives way; pure."""

from collections import deque

from components.mqtt.client import Message
from components.mqtt.limits import MAX_QUEUED, MAX_TOPICS

MAX_BYTES = 8 << 20
"""Of all payloads that wait, before only the newest of each topic is kept."""


class Mailbox:
    """Messages by topic."""

    def __init__(self, *, depth: int = MAX_QUEUED, max_bytes: int = MAX_BYTES) -> None:
        self._depth = depth
        self._max_bytes = max_bytes
        self._waiting: dict[str, deque[Message]] = {}
        self._bytes = 0
        self.dropped = 0
        """Messages that nobody will see."""

    def put(self, message: Message) -> None:
        """Keep a message."""
        queue = self._waiting.get(message.topic)
        if queue is None:
            if len(self._waiting) >= MAX_TOPICS:
                self.dropped += 1
                return
            queue = self._waiting[message.topic] = deque()
        elif len(queue) >= self._depth:
            self._drop_oldest(queue)
        queue.append(message)
        self._bytes += len(message.payload)
        if self._bytes > self._max_bytes:
            self._shed(message)

    def _shed(self, newest: Message) -> None:
        """Keep the newest of each topic; if that is too much still, not the one just come."""
        for queue in self._waiting.values():
            while len(queue) > 1:
                self._drop_oldest(queue)
        if self._bytes > self._max_bytes:
            self._drop_oldest(self._waiting.pop(newest.topic))

    def _drop_oldest(self, queue: deque[Message]) -> None:
        self._bytes -= len(queue.popleft().payload)
        self.dropped += 1

    def take(self) -> list[Message]:
        """Take everything, in the order of each topic."""
        taken = [message for queue in self._waiting.values() for message in queue]
        self._waiting.clear()
        self._bytes = 0
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)
