"""A site that runs: plant, cloud, line and gateway, each a process of its own but the line.

    plant  <── its protocols ──  gateway  ── HTTPS ──>  line  ──>  cloud  <── HTTP ──  a person

The line (:class:`~simulators.line.proxy.LineProxy`) listens on 127.0.0.1 and the cloud on 127.0.0.2
with the same port, so the address in the gateway's settings is the one that the cloud knows itself
by, and everything that the gateway says goes through the line.
"""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from cloud_api.access.caller import Role
from cloud_api.administration import Office, open_office, owner_dsn
from cloud_api.settings import CloudSettings
from simulators.line.proxy import LineProxy
from simulators.site.ledger import Account, balance, waiting
from simulators.site.processes import Part, ProcessEndedError, first_object, free_port, start

TENANT = "Harbour Works"
SITE = "Pump house"
TIME_ZONE = "Europe/Berlin"
PERSON = "operator@harbour.example"
CLOUD_HOST = "127.0.0.2"
LINE_HOST = "127.0.0.1"
DRAIN_S = 20.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a site listens; 0 takes a free port."""

    https: int = 0
    http: int = 0
    plant: int = 0


@dataclass(slots=True)
class Site:
    """A running site. Made by :func:`run_site`."""

    folder: Path
    plant: Part | None
    devices: list[dict[str, Any]]
    cloud: Part
    page: str
    """Address of the dashboard."""
    settings: CloudSettings
    line: LineProxy
    gateway: Part | None = None
    recording: Path | None = None
    """Replayed in the place of devices: the runtime is then ``tidegate edge replay``."""
    replay: Part | None = None
    outbox: dict[str, Any] = field(default_factory=dict)
    """Settings of the gateway's outbox."""
    log: str = "info"
    extra_rules: list[dict[str, Any]] = field(default_factory=list)

    @property
    def gateway_file(self) -> Path:
        """``gateway.yaml`` of the gateway."""
        return self.folder / "gateway" / "gateway.yaml"

    @property
    def state_dir(self) -> Path:
        """The gateway's state folder."""
        return self.folder / "gateway" / "state"

    @property
    def dsn(self) -> str:
        """Connection string of the cloud's database, by its owner."""
        return owner_dsn(self.settings)

    def check(self) -> None:
        """Do nothing while everything runs.

        Raises:
            ProcessEndedError: a process ended by itself.

        """
        for part in (self.plant, self.cloud, self.gateway, self.replay):
            if part is not None:
                part.check()

    async def settle_in(self) -> str:
        """Add tenant, site and person, and write the gateway's settings; gives a sign-in link."""
        async with open_office(self.settings) as office:
            await office.add_tenant(TENANT)
            await office.add_site(SITE, TIME_ZONE, None)
            await office.add_person(PERSON, "Operator", Role.ADMIN, None, None)
            self._write_settings(await _claim(office))
            return (await office.sign_in_link(PERSON, None)).url

    async def sign_in_link(self) -> str:
        """Make another sign-in link."""
        async with open_office(self.settings) as office:
            return (await office.sign_in_link(PERSON, None)).url

    def _write_settings(self, claim: str) -> None:
        self.gateway_file.parent.mkdir(parents=True, exist_ok=True)
        rules = yaml.safe_load(files(__package__).joinpath("rules.yaml").read_text("utf-8"))
        rules["rules"] += self.extra_rules
        (self.gateway_file.parent / "rules.yaml").write_text(_yaml(rules), "utf-8")
        gateway = {
            "name": "cellar-1",
            "state_dir": "./state",
            "cloud": {"url": f"https://{LINE_HOST}:{self.line.port}", "claim": claim},
        }
        if self.recording is None:
            gateway["rules"] = "rules.yaml"
        if self.outbox:
            gateway["outbox"] = self.outbox
        devices = [{"protocol": "modbus", **device} for device in self.devices]
        text = _yaml({"gateway": gateway, "devices": devices})
        self.gateway_file.touch(mode=0o600)
        self.gateway_file.write_text(text, "utf-8")

    async def start_gateway(self, *arguments: str) -> Part:
        """Start the gateway: ``tidegate edge run``, or its agent beside a replay."""
        if self.recording is not None:
            self.replay = await start(
                "replay", "edge", "replay", str(self.recording), "--loop",
                "--gateway", str(self.gateway_file), "--log", self.log, logs=self.folder,
            )  # fmt: skip
            self.gateway = await self.start_process("agent")
            return self.gateway
        self.gateway = await start(
            "gateway", "edge", "run", str(self.gateway_file), "--log", self.log, *arguments,
            logs=self.folder,
        )  # fmt: skip
        return self.gateway

    async def start_process(self, process: str) -> Part:
        """Start one process of the gateway alone, unsupervised: ``runtime`` or ``agent``."""
        return await start(
            process, "edge", "run", str(self.gateway_file), "--only", process, "--log", self.log,
            logs=self.folder,
        )  # fmt: skip

    async def stop_gateway(self) -> None:
        """Stop the gateway cleanly; what it accepted is committed then."""
        for part in (self.replay, self.gateway):
            if part is not None:
                await part.stop()
        self.replay = self.gateway = None

    async def drain(self, *, within_s: float = DRAIN_S) -> None:
        """With the gateway stopped, let its agent alone send what is left.

        Raises:
            ProcessEndedError: something is left after ``within_s``.

        """
        if not await asyncio.to_thread(waiting, self.state_dir):
            return
        agent = await self.start_process("agent")
        try:
            end = time.monotonic() + within_s
            while left := await asyncio.to_thread(waiting, self.state_dir):
                agent.check()
                if time.monotonic() > end:
                    msg = f"{left} batches are not acknowledged after {within_s:.0f} s"
                    raise ProcessEndedError(msg)
                await asyncio.sleep(POLL_S)
        finally:
            await agent.stop()

    async def account(self) -> Account:
        """Stop the gateway, let everything arrive, and count both ends."""
        await self.stop_gateway()
        await self.line.restore()
        await self.drain()
        return await balance(self.state_dir, self.dsn)

    def status(self, process: str = "runtime") -> dict[str, Any]:
        """Read what a process of the gateway says of itself; empty while it has not."""
        try:
            text = (self.state_dir / "run" / f"{process}.json").read_text("utf-8")
        except FileNotFoundError:
            return {}
        found: dict[str, Any] = json.loads(text)
        return found


@contextmanager
def site_folder(keep: Path | None = None) -> Iterator[Path]:
    """Make a temporary folder for a site and remove it at the end; or use one that is kept.

    The temporary one may be passed through, not read, by the account that runs the database.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def run_site(
    folder: Path,
    ports: Ports = Ports(),
    *,
    seed: int = 0,
    whole: bool = False,
    recording: Path | None = None,
) -> AsyncIterator[Site]:
    """Start plant, cloud and line in ``folder``; at the end everything is stopped in order.

    ``whole`` is a plant of every protocol (:mod:`simulators.site.plant`); else it speaks Modbus TCP.
    With a ``recording`` there is no plant: the gateway replays what a site once said.
    """
    async with AsyncExitStack() as stack:
        https = free_port(ports.https)
        starting = asyncio.gather(
            _start_plant(folder, ports.plant, seed, stack, whole=whole)
            if recording is None
            else _no_plant(),
            _start_cloud(folder, https, free_port(ports.http), stack),
        )
        (plant, devices), (cloud, page) = await starting
        line = await stack.enter_async_context(LineProxy(CLOUD_HOST, https, listen_port=https))
        settings = CloudSettings(
            state_dir=folder / "cloud", https_port=https, host_names=(LINE_HOST, "localhost")
        )
        site = Site(folder, plant, devices, cloud, page, settings, line, recording=recording)
        stack.push_async_callback(site.stop_gateway)
        yield site


async def _start_plant(
    folder: Path, first_port: int, seed: int, stack: AsyncExitStack, *, whole: bool
) -> tuple[Part, list[dict[str, Any]]]:
    kind = ("site", str(folder / "gateway")) if whole else ("modbus",)
    plant = await start(
        "plant", "sim", *kind, "--first-port", str(first_port), "--seed", str(seed), "--json",
        logs=folder, answers=True,
    )  # fmt: skip
    stack.push_async_callback(plant.stop)
    return plant, (await first_object(plant))["devices"]


async def _no_plant() -> tuple[None, list[dict[str, Any]]]:
    return None, []


async def _start_cloud(
    folder: Path, https: int, http: int, stack: AsyncExitStack
) -> tuple[Part, str]:
    cloud = await start(
        "cloud", "cloud", "run", "--state-dir", str(folder / "cloud"), "--host", CLOUD_HOST,
        "--https-port", str(https), "--http-port", str(http), "--host-name", LINE_HOST,
        "--host-name", "localhost", "--log", "warning", "--json",
        logs=folder, answers=True,
    )  # fmt: skip
    stack.push_async_callback(cloud.stop)
    return cloud, (await first_object(cloud))["http"]


async def _claim(office: Office) -> str:
    return (await office.new_claim(SITE, 24, None)).claim


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
