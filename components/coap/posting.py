"""A device that posts to the gateway: what it sent is taken, judged, kept and told."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from aiocoap.numbers.codes import Code

from components.coap import limits
from components.coap.buckets import Bucket
from components.coap.inbox import Inbox
from components.coap.listener import Listener, Posted, Verdict
from components.coap.settings import Format, Settings
from components.coap.values import FORMATS, Decoded, Decoder, bad
from components.payloads.senml_points import newest
from edge_runtime.driver import Inspection, News
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality, Reading, Reason

NEVER_HINT = "Check that the device posts to this address and path, and that 'sources' allow it."
FILE_HINT = "'token_file' names a file with one line, which devices send as ?token=…"
MAX_TOKEN = 200


class PostingDevice:
    """A device that is heard and never asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._points = {point.name: point for point in settings.points}
        self._decoder = Decoder(settings, settings.points)
        self._alone = {name: Decoder(settings, [point]) for name, point in self._points.items()}
        self._bucket = Bucket(settings.max_posts_s)
        self._token: bytes | None = None
        self._latest: dict[str, tuple[float, Reading]] = {}
        self._shown = "nothing was posted yet"
        self._data = b""
        self._heard = asyncio.Event()
        self._inboxes: list[Inbox] = []
        self.unknown = 0
        """Records so far that no point takes."""
        self.listener: Listener | None = None

    # --- what the device sends --------------------------------------------------------------------

    def take(self, posted: Posted) -> Verdict:
        """Judge a post and keep what it says."""
        problem = self._objection(posted)
        if problem is not None:
            return problem
        decoder = self._alone.get(posted.point) if posted.point else self._decoder
        if decoder is None:
            return Verdict(Code.NOT_FOUND, f"no point '{posted.point[:40]}'")
        if self._is_for_one_point(posted):
            return Verdict(Code.BAD_REQUEST, "one plain value goes to a path of its own: …/point")
        decoded = decoder.decode(posted.payload, time.time_ns() // 1_000)
        verdict = judge(decoded)
        self._note(posted, decoded, verdict)
        self._keep(decoded.readings)
        return verdict

    def _objection(self, posted: Posted) -> Verdict | None:
        if not any(posted.source in network for network in self._settings.sources):
            return Verdict(Code.FORBIDDEN)
        if self._settings.token_file is not None and not self._knows_token(posted.query):
            return Verdict(Code.UNAUTHORIZED, "the query 'token' is missing or wrong")
        if not self._bucket.take(asyncio.get_running_loop().time()):
            return Verdict(Code.TOO_MANY_REQUESTS)
        declared = posted.payload.content_format
        if self._settings.format is Format.AUTO and declared not in {None, *FORMATS}:
            return Verdict(Code.UNSUPPORTED_CONTENT_FORMAT, f"content format {declared}")
        return None

    def _knows_token(self, query: Sequence[str]) -> bool:
        said = next((part[6:] for part in query if part.startswith("token=")), "")
        return bool(self._token) and hmac.compare_digest(said.encode(), self._token or b"")

    def _is_for_one_point(self, posted: Posted) -> bool:
        plain = FORMATS.get(posted.payload.content_format or limits.TEXT) is Format.PLAIN
        auto = self._settings.format in {Format.AUTO, Format.PLAIN}
        return plain and auto and not posted.point and len(self._points) > 1

    def _note(self, posted: Posted, decoded: Decoded, verdict: Verdict) -> None:
        self.unknown += len(decoded.unknown)
        self._data = posted.payload.data
        unknown = f", {self.unknown} unknown records so far" if self.unknown else ""
        said = f": {verdict.text}" if verdict.text else ""
        code = Code(verdict.code).dotted
        self._shown = f"posted by {posted.source}, answered {code}{said}{unknown}"

    def _keep(self, readings: Sequence[Reading]) -> None:
        now_s = asyncio.get_running_loop().time()
        for name, reading in newest(readings).items():
            self._latest[name] = (now_s, reading)
        for inbox in self._inboxes:
            inbox.put(readings)
        self._heard.set()

    # --- what the gateway wants -------------------------------------------------------------------

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Give the newest of what is posted from now on, waiting up to the time-out.

        Raises:
            DeviceUnreachableError: nothing was posted for as long as was promised.

        """
        await self._listen()
        begun_s = asyncio.get_running_loop().time()
        heard = await self._wait_for(points, begun_s)
        promised_s = max(self._settings.promised_s(point) for point in self._settings.points)
        last_s = max((at_s for at_s, _ in self._latest.values()), default=None)
        if not heard and (last_s is None or self._waited_s(last_s) > promised_s):
            since = "" if last_s is None else f" for {self._waited_s(last_s):.0f} s"
            msg = f"nothing was posted to {self._settings.at}{since}"
            raise DeviceUnreachableError(msg, hint=NEVER_HINT)
        return [self._present(name) for name in points]

    def _waited_s(self, since_s: float) -> float:
        return asyncio.get_running_loop().time() - since_s

    async def _wait_for(self, points: Collection[str], since_s: float) -> bool:
        """Wait until all points were posted; tells whether any was."""

        def fresh() -> list[str]:
            kept = self._latest
            return [name for name in points if name in kept and kept[name][0] >= since_s]

        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while len(fresh()) < len(points):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return bool(fresh())
        return True

    def _present(self, name: str) -> Reading:
        if name not in self._latest:
            return bad([self._points[name]], Reason.NO_ANSWER)[0]
        at_s, reading = self._latest[name]
        if self._waited_s(at_s) > self._settings.promised_s(self._points[name]):
            return bad([self._points[name]], Reason.STALE)[0]
        return reading

    async def changes(self, points: Collection[str]) -> AsyncIterator[News]:
        """Report what is posted.

        Raises:
            DeviceUnreachableError: the port cannot be listened on.

        """
        await self._listen()
        inbox = Inbox()
        inbox.put(reading for _, reading in self._latest.values())
        self._inboxes.append(inbox)
        try:
            while True:
                news = await inbox.news()
                wanted = [reading for reading in news.readings if reading.point in points]
                if wanted:
                    yield News(wanted)
        finally:
            self._inboxes.remove(inbox)

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Show the last post beside the readings."""
        readings = await self.read(points)
        return [Inspection(reading, self._shown, self._data) for reading in readings]

    async def listen_if_possible(self) -> None:
        """Begin to listen at once; if it cannot be, :meth:`read` and :meth:`changes` say why."""
        try:
            await self._listen()
        except (DeviceUnreachableError, DeviceRefusedError):
            return

    async def _listen(self) -> None:
        if self._settings.token_file is not None:
            self._token = read_token(self._settings.token_file)
        assert self.listener is not None
        await self.listener.ensure()


def judge(decoded: Decoded) -> Verdict:
    """Decide the answer to a post: good when anything was taken, with what was not beside it."""
    good = sum(reading.quality is not Quality.BAD for reading in decoded.readings)
    parts = [decoded.problem] if decoded.problem else []
    parts += [
        f"{reading.point}: {reading.reason}"
        for reading in decoded.readings
        if reading.quality is Quality.BAD and not decoded.problem
    ][: limits.MAX_NAMED]
    if decoded.unknown:
        names = ", ".join(decoded.unknown[: limits.MAX_NAMED])
        more = "…" if len(decoded.unknown) > limits.MAX_NAMED else ""
        parts.append(f"no point takes: {names}{more}")
    taken = bool(decoded.readings) and not (decoded.problem and not good)
    return Verdict(Code.CHANGED if taken else Code.BAD_REQUEST, "; ".join(parts)[:500])


def read_token(file: Path) -> bytes:
    """Read the word that posts must carry.

    Raises:
        DeviceRefusedError: there is none.

    """
    try:
        token = file.read_bytes().strip()
    except OSError as exc:
        msg = f"the token cannot be read from {file}: {exc.strerror}"
        raise DeviceRefusedError(msg, hint=FILE_HINT) from exc
    if not 0 < len(token) <= MAX_TOKEN:
        msg = f"{file} holds no token of 1 to {MAX_TOKEN} characters"
        raise DeviceRefusedError(msg, hint=FILE_HINT)
    return token
