"""What waits for a device's reader: bounded, the oldest of a topic gives way; pure."""

from collections import deque
from operator import itemgetter

from components.mqtt.client import Message
from components.mqtt.limits import MAX_QUEUED, MAX_TOPICS

MAX_BYTES = 8 << 20
"""Of all payloads that wait, before only the newest of each topic is kept."""


class Mailbox:
    """Messages by topic."""

    def __init__(self, *, depth: int = MAX_QUEUED, max_bytes: int = MAX_BYTES) -> None:
        self._depth = depth
        self._max_bytes = max_bytes
        self._waiting: dict[str, deque[tuple[int, Message]]] = {}
        self._arrived = 0
        """Messages so far: the place of each among all topics."""
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
        self._arrived += 1
        queue.append((self._arrived, message))
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

    def _drop_oldest(self, queue: deque[tuple[int, Message]]) -> None:
        self._bytes -= len(queue.popleft()[1].payload)
        self.dropped += 1

    def take(self) -> list[Message]:
        """Take everything in the order in which it came, whatever its topic."""
        places = sorted(
            (place for queue in self._waiting.values() for place in queue), key=itemgetter(0)
        )
        taken = [message for _, message in places]
        self._waiting.clear()
        self._bytes = 0
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)
