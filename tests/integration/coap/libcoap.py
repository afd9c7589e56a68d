"""libcoap's programs as devices and senders."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

SERVER, CLIENT = "coap-server-notls", "coap-client-notls"


def free_port() -> int:
    """Give a UDP port that is free now."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def answers(port: int) -> bool:
    """Ping (RFC 7252 4.3) until somebody answers."""
    loop = asyncio.get_running_loop()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", port))
        for number in range(100):
            try:
                sock.send(bytes([0x40, 0, 0, number]))
                async with asyncio.timeout(0.05):
                    return bool(await loop.sock_recv(sock, 16))
            except (ConnectionRefusedError, TimeoutError):
                await asyncio.sleep(0.02)
    return False


@asynccontextmanager
async def libcoap_server(port: int, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run libcoap's example server on this port."""
    server = await asyncio.create_subprocess_exec(
        SERVER, "-A", "127.0.0.1", "-p", str(port), "-v", "1", *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert await answers(port)
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def libcoap_client(*options: str) -> tuple[str, str]:
    """Run libcoap's client; gives what it wrote to stdout and stderr."""
    client = await asyncio.create_subprocess_exec(
        CLIENT, "-B", "5", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await client.communicate()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
    return out.decode(), err.decode()
