"""Runs the machining centre until it is stopped, with a certificate that outlives a restart."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from components.opcua.certificate import make_certificate
from components.opcua.trust import look_up, trust
from edge_runtime.durable import make_folder, write_file
from simulators.opcua.server import APPLICATION, LOOPBACK, NAME, PORT, Simulator, serve

PROFILE = "demo-machining-centre"


async def run_machine(
    host: str = LOOPBACK,
    port: int = PORT,
    *,
    seed: int = 1,
    folder: Path | None = None,
    trusted_by: Path | None = None,
    ready: Callable[[Simulator], None] | None = None,
) -> None:
    """Serve until cancelled; ``ready`` is called once it listens.

    ``folder`` keeps its certificate. ``trusted_by`` is the ``pki_dir`` of a gateway: it trusts the
    simulator from the start, as an installer would have it do.

    Raises:
        OSError: the port is taken.
        SettingsError: ``trusted_by`` cannot be written.

    """
    certificate = await asyncio.to_thread(kept_certificate, folder)
    if trusted_by is not None:
        trust(trusted_by, look_up(trusted_by, certificate[0]).fingerprint)
    async with serve(host=host, port=port, seed=seed, certificate=certificate) as simulator:
        if ready is not None:
            ready(simulator)
        await asyncio.Event().wait()


def kept_certificate(folder: Path | None) -> tuple[bytes, bytes]:
    """Give certificate and key, those in a folder where there are some already."""
    if folder is not None and (folder / "certificate.der").exists():
        return (folder / "certificate.der").read_bytes(), (folder / "key.pem").read_bytes()
    der, key = make_certificate(APPLICATION, datetime.now(UTC), name=NAME, server=True)
    if folder is not None:
        make_folder(folder)
        write_file(folder / "key.pem", key)
        write_file(folder / "certificate.der", der)
    return der, key
