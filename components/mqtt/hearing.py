"""What a device has been heard saying: messages in, readings out, no I/O."""

from collections.abc import Callable, Collection, Mapping, Sequence

from components.mqtt import limits
from components.mqtt.client import Message
from components.mqtt.decode import RETAINED, Decoder
from components.mqtt.mailbox import Mailbox
from components.mqtt.settings import Availability, Settings
from components.mqtt.topics import TopicTree
from components.payloads.errors import PayloadError
from components.payloads.extract import compile_path, parse_json
from edge_runtime.model import Quality, Reading

MAX_NEWS = 50_000
"""Readings that wait for the runtime; the oldest give way."""


class Hearing:
    """The messages of one device within one session with the broker."""

    def __init__(
        self, settings: Settings, wake: Callable[[], None], now_us: Callable[[], int]
    ) -> None:
        """``wake`` is called when something arrived."""
        self._settings = settings
        self._wake = wake
        self._now_us = now_us
        self._tree: TopicTree[str] = TopicTree()
        self._points = {point.name: point for point in settings.points}
        self.filters: dict[str, list[str]] = {}
        """Points by the filter that serves them."""
        for point in settings.points:
            topic_filter = settings.topic_of(point.topic)
            self.filters.setdefault(topic_filter, []).append(point.name)
            self._tree.add(topic_filter, point.name)
        self._availability = _Availability(settings) if settings.availability else None
        self._decoders: dict[str, Decoder | None] = {}
        self._by_points: dict[tuple[str, ...], Decoder] = {}
        self._found: set[str] = set()
        self._mailbox = Mailbox()
        self._topics: set[str] = set()
        self._news: list[Reading] = []
        self.keep_news = False
        """Whether somebody takes the news."""
        self.online: bool | None = None
        """What ``availability`` says; None while it said nothing."""
        self.heard: dict[str, Reading] = {}
        """The newest reading of each point."""
        self.messages: dict[str, Message] = {}
        """The message that it came from."""

    @property
    def dropped(self) -> int:
        """Messages that gave way to newer ones."""
        return self._mailbox.dropped

    @property
    def waiting(self) -> bool:
        """Whether there is something to take."""
        return bool(self._mailbox) or bool(self._news)

    @property
    def away(self) -> bool:
        """Whether the device, or its last will, said that it is not there."""
        return self.online is False

    @property
    def all_filters(self) -> list[str]:
        """Everything to subscribe to; where the device says whether it is there comes first."""
        if self._availability is None:
            return list(self.filters)
        return list(dict.fromkeys([self._availability.topic_filter, *self.filters]))

    def begin(self) -> None:
        """Forget what was heard: a new session with the broker begins."""
        self._mailbox.take()
        self._topics.clear()
        self._news.clear()
        self.heard.clear()
        self.messages.clear()
        self.online = None

    def listen(self, message: Message) -> None:
        """Take a message; quick, decoded later.

        A retained message on a topic that was heard in this session is older than what we know: the
        broker repeats it to every new subscriber.
        """
        known = message.topic in self._topics
        if (known and message.retained) or (not known and not self._admit(message.topic)):
            return
        availability = self._availability
        if availability is not None and availability.speaks_on(message.topic):
            said = availability.says(message.payload)
            self.online = self.online if said is None else said
        elif self.online is False and not message.retained:
            self.online = True  # who publishes is there, whatever the will said
        self._mailbox.put(message)
        self._wake()

    def _admit(self, topic: str) -> bool:
        if len(self._topics) >= limits.MAX_TOPICS:
            return False
        self._topics.add(topic)
        return True

    def decode(self) -> None:
        """Turn what has arrived into readings."""
        if not self._mailbox:
            return
        now_us = self._now_us()
        for message in self._mailbox.take():
            decoder = self._decoder(message.topic)
            if decoder is None:
                continue
            for reading in decoder.decode(message, now_us):
                self.heard[reading.point] = reading
                self.messages[reading.point] = message
                if self.keep_news:
                    self._news.append(reading)
        if len(self._news) > MAX_NEWS:
            del self._news[:-MAX_NEWS]

    def _decoder(self, topic: str) -> Decoder | None:
        if topic not in self._decoders:
            if len(self._decoders) >= limits.MAX_TOPICS:
                self._decoders.clear()
            names = self._tree.match(topic)
            self._decoders[topic] = self._decoder_of(names) if names else None
        return self._decoders[topic]

    def _decoder_of(self, names: tuple[str, ...]) -> Decoder:
        if names not in self._by_points:
            points = [self._points[name] for name in names]
            self._by_points[names] = Decoder(self._settings, points, self._found)
        return self._by_points[names]

    def take_news(self, wanted: Collection[str]) -> Sequence[Reading]:
        """Decode and take what is new of some points."""
        self.decode()
        news, self._news = self._news, []
        return [reading for reading in news if reading.point in wanted]

    def held(self) -> Collection[str]:
        """Name the points whose value holds because the device is there and would have told."""
        if self.online is not True:
            return ()
        return [
            point.name
            for point in self._settings.points
            if point.on_change
            and (reading := self.heard.get(point.name)) is not None
            and reading.quality is not Quality.BAD
        ]

    def has_live(self, points: Collection[str]) -> bool:
        """Whether all these points were heard, and not only from what the broker had kept."""
        heard = self.heard
        return all(name in heard and heard[name].reason != RETAINED for name in points)

    def filter_of(self, point: str) -> str:
        """Give the filter that serves a point."""
        return next(text for text, names in self.filters.items() if point in names)

    def served_by(self, refused: Mapping[str, int]) -> Mapping[str, int]:
        """Give the points that refused filters were to serve, with the reason code."""
        return {name: code for text, code in refused.items() for name in self.filters.get(text, ())}


class _Availability:
    """Whether the device, or its last will, says that it is there."""

    def __init__(self, settings: Settings) -> None:
        said = settings.availability
        assert isinstance(said, Availability)
        self.topic_filter = settings.topic_of(said.topic)
        self._tree: TopicTree[bool] = TopicTree()
        self._tree.add(self.topic_filter, True)
        self._path = compile_path(said.json_path) if said.json_path is not None else None
        self._most = settings.max_payload_bytes
        self._words = {said.online: True, said.offline: False}

    def speaks_on(self, topic: str) -> bool:
        return bool(self._tree.match(topic))

    def says(self, payload: bytes) -> bool | None:
        try:
            if self._path is None:
                return self._words.get(payload[: self._most].decode().strip())
            found = self._path(parse_json(payload, max_bytes=self._most))
        except (PayloadError, UnicodeDecodeError):
            return None
        text = str(found).lower() if isinstance(found, bool) else str(found)
        return self._words.get(text)
