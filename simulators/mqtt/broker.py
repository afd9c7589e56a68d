"""Runs mosquitto for tests and for a demo, in a folder of its own that is gone afterwards."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
START_S = 5.0
POLL_S = 0.02
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where it lies on machines that keep services out of a user's path."""


@dataclass(frozen=True)
class ServerTls:
    """Certificates of the broker, PEM."""

    certificate_file: Path
    key_file: Path
    ca_file: Path | None = None
    """Who signs the certificates of clients; given, every client needs one."""


def find_mosquitto() -> str | None:
    """Give the path of mosquitto; None where it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    return shutil.which("mosquitto", path=path)


def free_port(host: str = LOOPBACK) -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def run_mosquitto(
    port: int = 0,
    *,
    host: str = LOOPBACK,
    users: Mapping[str, str] | None = None,
    acl: Sequence[str] = (),
    tls: ServerTls | None = None,
    more: Sequence[str] = (),
) -> AsyncIterator[int]:
    """Run mosquitto; gives its port.

    ``users`` are names with passwords, then nobody else gets in; ``acl`` and ``more`` are lines of
    mosquitto's access list and configuration.

    Raises:
        FileNotFoundError: mosquitto is not installed.
        OSError: it does not start; the message says what it said.

    """
    program = find_mosquitto()
    if program is None:
        msg = "mosquitto is not installed (Debian: mosquitto)"
        raise FileNotFoundError(msg)
    port = port or free_port(host)
    with tempfile.TemporaryDirectory(prefix="tidegate-mqtt-") as name:
        folder = Path(name)
        lines = await _configuration(folder, port=port, host=host, users=users, acl=acl, tls=tls)
        file = folder / "mosquitto.conf"
        file.write_text("\n".join([*lines, *more]) + "\n")
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await _listens(process, host, port)
            yield port
        finally:
            await _stop(process)


async def _configuration(
    folder: Path,
    *,
    port: int,
    host: str,
    users: Mapping[str, str] | None,
    acl: Sequence[str],
    tls: ServerTls | None,
) -> list[str]:
    lines = [
        "per_listener_settings false",
        "persistence false",
        "set_tcp_nodelay true",
        "log_dest none",
        f"allow_anonymous {'false' if users else 'true'}",
        f"listener {port} {host}",
    ]
    if os.geteuid() == 0:
        lines.append("user root")  # it would give its rights up and lose the folder with them
    if users:
        lines.append(f"password_file {await _password_file(folder, users)}")
    if acl:
        file = folder / "acl"
        file.write_text("\n".join(acl) + "\n")
        file.chmod(0o600)
        lines.append(f"acl_file {file}")
    if tls is not None:
        lines += [f"certfile {tls.certificate_file}", f"keyfile {tls.key_file}"]
        if tls.ca_file is not None:
            lines += [f"cafile {tls.ca_file}", "require_certificate true"]
    return lines


async def _password_file(folder: Path, users: Mapping[str, str]) -> Path:
    file = folder / "passwords"
    file.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
    file.chmod(0o600)
    process = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(file))
    if await process.wait() != 0:
        msg = "mosquitto_passwd failed"
        raise OSError(msg)
    return file


async def _listens(process: asyncio.subprocess.Process, host: str, port: int) -> None:
    deadline = asyncio.get_running_loop().time() + START_S
    while asyncio.get_running_loop().time() < deadline:
        if process.returncode is not None:
            break
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(POLL_S)
    if process.returncode is None:
        process.kill()
    _, said = await process.communicate()
    msg = f"mosquitto does not listen on {host}:{port}: {said.decode(errors='replace').strip()}"
    raise OSError(msg)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    await process.communicate()
