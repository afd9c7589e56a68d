"""Each side killed at each frame between them: nothing is lost and nothing is there twice."""

import asyncio
import contextlib

import pytest

from edge_runtime.adapters import place
from edge_runtime.adapters.frames import pack_frame, read_frame
from edge_runtime.errors import AdapterLinkError

UP, DOWN = "up", "down"
FRAMES = {UP: 4, DOWN: 4}
"""Hello and three batches; Welcome and three times Taken."""
MOMENTS = [(way, frame) for way, frames in FRAMES.items() for frame in range(frames + 1)]


class Line:
    """Between both sides: hands on frames up to a certain one, then nothing any more."""

    def __init__(self, run, beyond, way, frame):
        self.run, self.beyond = run, beyond
        self.left = {UP: 99, DOWN: 99} | {way: frame}
        self.cut = asyncio.Event()

    async def relay(self, way, reader, writer):
        with contextlib.suppress(AdapterLinkError):
            while True:
                body = await read_frame(reader)
                if not self.left[way]:
                    break
                self.left[way] -= 1
                writer.write(pack_frame(body))
                if not self.left[way]:
                    await asyncio.sleep(0.02)
                    break
        self.cut.set()

    async def run_until_cut(self):
        listening = place.listen(self.run)

        async def come(reader, writer):
            onward, back = await asyncio.open_unix_connection(sock=place.connect(self.beyond))
            tasks = [
                asyncio.ensure_future(self.relay(UP, reader, back)),
                asyncio.ensure_future(self.relay(DOWN, onward, writer)),
            ]
            try:
                await self.cut.wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                writer.close()
                back.close()

        server = await asyncio.start_unix_server(come, sock=listening)
        with contextlib.closing(server), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self.cut.wait()


@pytest.mark.parametrize("dies", ["adapter", "runtime", "both"])
@pytest.mark.parametrize(("way", "frame"), MOMENTS)
async def test_a_side_that_dies_at_any_frame_loses_and_doubles_nothing(  # noqa: PLR0917 - fixtures
    runtime, adapter, until, dies, way, frame
):
    await runtime.start()
    adapter.run = runtime.folder / "between"
    line = asyncio.ensure_future(Line(adapter.run, runtime.run, way, frame).run_until_cut())
    await asyncio.sleep(0)
    await adapter.start()
    for value in (1, 2, 3):
        await adapter.read(value)
    await line
    for side in (adapter, runtime):
        if dies in {"both", "adapter" if side is adapter else "runtime"}:
            await side.kill()
            await side.start()
    adapter.run = runtime.run
    await adapter.kill()
    await adapter.start()
    await adapter.read(4)
    await until(lambda: 4 in runtime.values())
    assert runtime.values() == [1, 2, 3, 4]
