"""An edge node as its messages tell it: births, aliases, order, deaths; pure.

What an edge node says is understood by its birth only: it names the metrics, their data types and
the aliases that stand for them later. Every message carries a number of order; where one is missing,
something was lost, and a new birth must be asked for (Sparkplug 3.0, 6.4.6 and 5.6).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.payloads.errors import PayloadError
from components.sparkplug.metric import Sample, sample_of
from components.sparkplug.payload import MAX_METRICS, parse_payload, text_of
from components.sparkplug.topic import Kind

SEQUENCE = 256
"""Messages are numbered from 0 to 255 and again from 0."""
BD_SEQ = "bdSeq"
"""Ties a death to the birth it ends (Sparkplug 3.0, 6.4.17)."""
MAX_DEVICES = 1_000


@dataclass(slots=True)
class Source:
    """The edge node itself, or one of its devices, as its birth declared it."""

    types: dict[str, int] = field(default_factory=dict)
    """Data type by name of the metric."""
    names: dict[int, str] = field(default_factory=dict)
    """Name by alias."""
    aliases: dict[str, int] = field(default_factory=dict)
    now: dict[str, Sample] = field(default_factory=dict)
    """The present value of each metric."""


@dataclass(slots=True)
class Outcome:
    """What a message meant."""

    samples: dict[str, list[tuple[str, Sample]]] = field(default_factory=dict)
    """By device (empty for the edge node itself): metrics with what they said, in order."""
    born: frozenset[str] = frozenset()
    """Devices whose metrics are all new."""
    died: frozenset[str] = frozenset()
    rebirth: str = ""
    """Why a new birth must be asked for; empty where none need be."""


class EdgeNode:
    """What is known of an edge node within one session with the broker."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        """Who is alive, by device id; the edge node itself under the empty one."""
        self.dead: set[str] = set()
        """Who said, or whose last will said, that it is not there."""
        self._bd_seq: int | None = None
        self._seq: int | None = None
        self.garbage = 0
        """Messages that could not be read."""
        self.duplicates = 0

    def take(self, kind: Kind, device: str, data: bytes, *, max_bytes: int) -> Outcome:
        """Take a message; whatever it holds, nothing is raised."""
        try:
            payload = parse_payload(data, max_bytes=max_bytes)
            if kind is Kind.NDEATH:
                return self._node_died(payload)
            if kind is Kind.NBIRTH:
                return self._node_born(payload)
            return self._in_order(kind, device, payload)
        except PayloadError as exc:
            self.garbage += 1
            return Outcome(rebirth=f"a {kind} that cannot be read: {exc}")

    def _node_born(self, payload: Any) -> Outcome:
        bd_seq = _bd_seq(payload)
        source, said = _birth(payload, room=MAX_METRICS)
        self.sources = {"": source}  # its devices are born again after it
        self.dead.clear()
        self._bd_seq, self._seq = bd_seq, _seq(payload)
        return Outcome({"": said}, born=frozenset({""}))

    def _node_died(self, payload: Any) -> Outcome:
        """Take a death, unless it belongs to an older session than the one that we know."""
        ended = _bd_seq(payload)
        if self._bd_seq is not None and ended is not None and ended != self._bd_seq:
            return Outcome()
        died = frozenset({"", *self.sources})
        self.sources = {}
        self.dead |= died
        self._bd_seq = self._seq = None
        return Outcome(died=died)

    def _in_order(self, kind: Kind, device: str, payload: Any) -> Outcome:
        if "" not in self.sources:
            return Outcome(rebirth=f"a {kind} without a birth before")
        seq, last = _seq(payload), self._seq
        if seq is not None and last is not None and seq == last:
            self.duplicates += 1
            return Outcome()
        gap = seq is not None and last is not None and seq != (last + 1) % SEQUENCE
        self._seq = last if seq is None else seq
        outcome = self._of_device(kind, device, payload)
        if gap:
            outcome.rebirth = f"message {(last or 0) + 1} is missing, {seq} came"
        return outcome

    def _of_device(self, kind: Kind, device: str, payload: Any) -> Outcome:
        if kind is Kind.DBIRTH:
            return self._device_born(device, payload)
        if kind is Kind.DDEATH:
            self.sources.pop(device, None)
            if len(self.dead) < MAX_DEVICES:
                self.dead.add(device)
            return Outcome(died=frozenset({device}))
        source = self.sources.get(device)
        if source is None:
            return Outcome(rebirth=f"a {kind} of '{device}' without a birth before")
        return self._data(source, device, payload)

    def _device_born(self, device: str, payload: Any) -> Outcome:
        if device not in self.sources and len(self.sources) >= MAX_DEVICES:
            msg = f"more than {MAX_DEVICES} devices"
            raise PayloadError(msg)
        room = MAX_METRICS - sum(len(s.types) for d, s in self.sources.items() if d != device)
        self.sources[device], said = _birth(payload, room=room)
        self.dead.discard(device)
        return Outcome({device: said}, born=frozenset({device}))

    def _data(self, source: Source, device: str, payload: Any) -> Outcome:
        outcome = Outcome()
        said: list[tuple[str, Sample]] = []
        for metric in payload.metrics:
            name = _name(metric, source.names)
            if name not in source.types:
                outcome.rebirth = f"a metric that no birth named ({name or 'no such alias'})"
                continue
            sample = sample_of(metric, source.types[name], _timestamp(payload))
            said.append((name, sample))
            if not sample.historical:
                source.now[name] = sample
        outcome.samples[device] = [*said, *_present_again(said, source.now)]
        return outcome


def _present_again(
    said: Iterable[tuple[str, Sample]], now: Mapping[str, Sample]
) -> Iterator[tuple[str, Sample]]:
    """Repeat the present value after historical ones, so that it is the last word."""
    last = dict(said)
    return ((name, now[name]) for name in last if last[name].historical and name in now)


def _birth(payload: Any, *, room: int) -> tuple[Source, list[tuple[str, Sample]]]:
    source = Source()
    said: list[tuple[str, Sample]] = []
    if len(payload.metrics) > room:
        msg = f"an edge node of more than {MAX_METRICS} metrics"
        raise PayloadError(msg)
    for metric in payload.metrics:
        name = text_of(metric.name)
        if not name:
            continue
        source.types[name] = metric.datatype
        if metric.HasField("alias"):
            source.names[metric.alias] = name
            source.aliases[name] = metric.alias
        sample = sample_of(metric, metric.datatype, _timestamp(payload))
        source.now[name] = sample
        said.append((name, sample))
    return source, said


def _name(metric: Any, names: Mapping[int, str]) -> str:
    if metric.name:
        return text_of(metric.name)
    return names.get(metric.alias, "") if metric.HasField("alias") else ""


def _seq(payload: Any) -> int | None:
    return payload.seq % SEQUENCE if payload.HasField("seq") else None


def _timestamp(payload: Any) -> int | None:
    return payload.timestamp if payload.HasField("timestamp") else None


def _bd_seq(payload: Any) -> int | None:
    for metric in payload.metrics:
        if metric.name == BD_SEQ.encode():
            sample = sample_of(metric, metric.datatype, None)
            if isinstance(sample.value, int):
                return sample.value
            return int(metric.long_value or metric.int_value)
    return None
