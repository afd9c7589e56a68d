"""BACnet devices for the driver contract: ours, and one on a stack by people who never saw our code."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bacnet_peer import INSTANCE, free_port, install, run_peer
from subject import Subject

from components.bacnet.driver import driver
from simulators.bacnet.device import serve
from simulators.bacnet.objects import analog, binary, multi_state, text

TIMEOUT_S = 1.0
"""Of a loopback interface; the tests that lose the device wait for it."""

POINTS = [
    {"name": "measured", "object": "analog-input,1"},
    {"name": "first", "object": "analog-input,0"},
    {"name": "commanded", "object": "analog-output,1", "priority": 8},
    {"name": "door", "object": "binary-input,1", "kind": "boolean"},
    {"name": "mode", "object": "multi-state-value,1"},
    {"name": "label", "object": "characterstring-value,1", "kind": "text"},
    {"name": "title", "object": "analog-input,1", "property": "object-name", "kind": "text"},
    {"name": "night", "object": "multi-state-value,1", "property": "state-text", "index": 3,
     "kind": "text"},
    {"name": "absent", "object": "analog-value,99"},
]  # fmt: skip
VALUES = {
    "measured": -3.25, "first": 7.5, "commanded": 20.0, "door": 1, "mode": 2, "label": "Zähler",
    "title": "Outdoor", "night": "night",
}  # fmt: skip


def objects():
    """What the peer has, too."""
    return [
        analog("input", 1, "Outdoor", -3.25, "degrees-celsius"),
        analog("input", 0, "Zero", 7.5, "no-units"),
        analog("output", 1, "Valve", 20.0, "percent"),
        binary("input", 1, "Door", True),
        multi_state("value", 1, "Mode", 2, ["off", "day", "night"]),
        text(1, "Label", "Zähler"),
    ]


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator, which is bacpypes3's server."""
    async with _subject(lambda port: serve(INSTANCE, objects(), port=port)) as subject:
        yield subject


@asynccontextmanager
async def bacnet_js(folder: Path) -> AsyncIterator[Subject]:
    """A device on @bacnet-js/client."""
    script = install(folder)
    async with _subject(lambda port: run_peer(script, port)) as subject:
        yield subject


@asynccontextmanager
async def _subject(start) -> AsyncIterator[Subject]:
    stack, port = AsyncExitStack(), free_port()

    async def restore() -> None:
        await stack.enter_async_context(start(port))

    await restore()
    settings = driver.settings(
        name="device", device_instance=INSTANCE, host=f"127.0.0.1:{port}",
        local_address="127.0.0.1", timeout_s=TIMEOUT_S, points=POINTS,
    )  # fmt: skip
    try:
        yield Subject(
            driver, settings, VALUES, "absent", stack.aclose, restore, ("commanded", 55.5)
        )
    finally:
        await stack.aclose()
