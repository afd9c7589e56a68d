"""Samples a second through HTTP into the embedded PostgreSQL, durable, on the machine's cores.

16 gateways of 100 points send sealed batches of 1,000 samples, a connection each: 16 batches an
upload as after an outage, and one an upload as when live. The reference is the usual way without
anything in front: rows by binary COPY into a table with a primary key, 1,000 a transaction.
"""

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import psycopg
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_api.access import queries
from cloud_api.access.authority import fingerprint, key_fingerprint
from cloud_api.access.caller import GatewayCaller
from cloud_api.access.keyring import Keyring, open_keyring
from cloud_api.app import create_app
from cloud_api.db.embedded import embedded_server
from cloud_api.db.migrate import migrate
from cloud_api.db.pool import open_database
from cloud_api.db.session import Database
from cloud_api.registry import service as registry
from cloud_api.settings import CloudSettings
from cloud_api.tenancy import service as tenancy
from cloud_sync.wire import paths
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, seal_batch
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.uplink import MEDIA_TYPE, Backlog, Upload
from tests.bench.ingest_load import Plan

GATEWAYS, POINTS, A_BATCH, BATCHES = 16, 100, 1_000, 64
SAMPLES = GATEWAYS * BATCHES * A_BATCH
STEPS = A_BATCH // POINTS
ROUNDS = 3
SECOND = 1_000_000


@dataclass(frozen=True)
class Bench:
    """A running cloud with gateways in it."""

    dsn: str
    port: int
    tokens: dict[GatewayCaller, str]


def payloads(seed: int) -> list[tuple[int, int, bytes]]:
    """Make a run of batches at one reading a second, with first and last time of each."""
    drift = random.Random(seed)
    begin = time.time_ns() // 1000 - BATCHES * STEPS * SECOND
    level = [drift.uniform(10, 90) for _ in range(POINTS)]
    made = []
    for batch in range(BATCHES):
        samples = []
        for step in range(STEPS):
            us = begin + (batch * STEPS + step) * SECOND + drift.randrange(3000)
            for point in range(POINTS):
                level[point] += drift.gauss(0, 0.05)
                samples.append(Sample(f"meter/value_{point}", us, round(level[point], 2)))
        made.append((samples[0].received_us, samples[-1].received_us, encode_samples(samples)))
    return made


def uploads(contents: list[tuple[int, int, bytes]], an_upload: int) -> Iterator[bytes]:
    """Seal a run of batches under a fresh epoch and pack them into uploads."""
    epoch = uuid4().hex[:16]
    sealed = [
        seal_batch(
            Seal(Stream.SAMPLES, epoch, number, "boot", 1, ClockQuality.SYNCHRONISED),
            count=A_BATCH, first_us=first, last_us=last, payload=payload,
        )
        for number, (first, last, payload) in enumerate(contents, 1)
    ]  # fmt: skip
    for i in range(0, len(sealed), an_upload):
        yield msgspec.msgpack.encode(Upload(Backlog(0, 0), "1", sealed[i : i + an_upload]))


def request(token: str, body: bytes) -> bytes:
    """Write an upload as HTTP/1.1."""
    head = (
        f"POST {paths.UPLINK} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def enrol(database: Database, keyring: Keyring, tenant: UUID) -> dict[GatewayCaller, str]:
    """Add gateways that hold valid tokens."""
    now = datetime.now(UTC)
    tokens = {}
    async with database.transaction(tenant) as db:
        site = await registry.add_site(db, tenant, "plant", "UTC")
        for number in range(GATEWAYS):
            key = ec.generate_private_key(ec.SECP256R1())
            asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
            caller = GatewayCaller(tenant, uuid4())
            certificate = keyring.authority.sign_gateway(
                asked.sign(key, hashes.SHA256()), caller.gateway, now
            )
            credential = queries.Credential(
                caller.gateway,
                key_fingerprint(key.public_key()),
                fingerprint(certificate),
                certificate.public_bytes(Encoding.DER),
                f"{certificate.serial_number:x}",
                certificate.not_valid_after_utc,
            )
            await queries.add_gateway(
                db, tenant, site, credential, name=f"gateway-{number}", version="1", now=now
            )
            tokens[caller] = keyring.issue_access_token(caller, now)[0]
    return tokens


@asynccontextmanager
async def running_cloud(folder: Path) -> AsyncIterator[Bench]:
    """Start PostgreSQL, durable, and the cloud's application on it, with gateways."""
    settings = CloudSettings(state_dir=folder / "cloud")
    keyring = open_keyring(settings.state_dir / "authority", datetime.now(UTC))
    async with embedded_server(folder / "postgresql") as server:
        await migrate(server.dsn)
        async with open_database(server.dsn) as database:
            app = create_app(settings, database, keyring)
            async with app.router.lifespan_context(app):
                tenant = await tenancy.add_tenant(database, "bench")
                tokens = await enrol(database, keyring, tenant)
                http = uvicorn.Server(
                    uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
                )
                serving = asyncio.create_task(http.serve())
                while not http.started:  # noqa: ASYNC110 - uvicorn offers no event
                    await asyncio.sleep(0.005)
                port = http.servers[0].sockets[0].getsockname()[1]
                yield Bench(server.dsn, port, tokens)
                http.should_exit = True
                await serving


async def ours(bench: Bench, folder: Path, an_upload: int) -> dict[str, float]:
    """Send a round of uploads; gives samples a second and the median latency."""
    contents = payloads(an_upload)
    connections = [
        [request(token, body) for body in uploads(contents, an_upload)]
        for token in bench.tokens.values()
    ]
    file = folder / "plan.msgpack"
    file.write_bytes(msgspec.msgpack.encode(Plan(bench.port, connections)))
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.ingest_load", str(file), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await load.communicate()
    result = json.loads(out)
    return {"samples_per_s": SAMPLES / result["seconds"], "p50_ms": result["p50_ms"]}


async def rows_by_copy(dsn: str) -> float:
    """Copy rows of (point, time, value, quality) as they are; gives samples a second."""
    begin, seconds = datetime.now(UTC), 0.0
    transactions = [
        [
            (point, begin + timedelta(seconds=number * STEPS + step), 20.0 + point, 0)
            for step in range(STEPS)
            for point in range(POINTS)
        ]
        for number in range(SAMPLES // A_BATCH // 4)
    ]
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        await db.execute("DROP TABLE IF EXISTS public.plain_sample")
        await db.execute(
            "CREATE TABLE public.plain_sample (point_id bigint, time timestamptz,"
            " value double precision, quality smallint, PRIMARY KEY (point_id, time))"
        )
        began = time.perf_counter()
        for rows in transactions:
            async with db.cursor().copy(
                "COPY public.plain_sample FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(["int8", "timestamptz", "float8", "int2"])
                for row in rows:
                    await copy.write_row(row)
        seconds = time.perf_counter() - began
    return len(transactions) * A_BATCH / seconds


async def bytes_a_sample(dsn: str) -> tuple[float, float]:
    """Give heap, index and TOAST of a sample: in chunks, and in the reference's rows."""
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        found = await db.execute(
            """SELECT (SELECT sum(pg_total_relation_size(relid)) FROM
                pg_partition_tree('tidegate.sample_chunk') WHERE isleaf)::float8,
                (SELECT sum(samples) FROM tidegate.stream)::float8,
                pg_total_relation_size('public.plain_sample')::float8,
                (SELECT count(*) FROM public.plain_sample)::float8"""
        )
        row = await found.fetchone()
        assert row is not None
        return row[0] / row[1], row[2] / row[3]


def run() -> dict[str, object]:
    """Run all, in turn, in every round; gives medians."""
    with tempfile.TemporaryDirectory() as name, asyncio.Runner() as runner:
        folder = Path(name)
        folder.chmod(0o755)
        return runner.run(measure(folder))


async def measure(folder: Path) -> dict[str, object]:
    """Measure in turn, in every round."""
    figures: dict[str, list[float]] = {}
    async with running_cloud(folder) as bench:
        await ours(bench, folder, 16)
        for _ in range(ROUNDS):
            for an_upload in (16, 1):
                for figure, value in (await ours(bench, folder, an_upload)).items():
                    figures.setdefault(f"{figure} {an_upload}", []).append(value)
            figures.setdefault("rows", []).append(await rows_by_copy(bench.dsn))
        chunks, rows = await bytes_a_sample(bench.dsn)
    median = {figure: statistics.median(values) for figure, values in figures.items()}
    return {
        "name": "ingest",
        "rounds": ROUNDS,
        "gateways": GATEWAYS,
        "points_a_gateway": POINTS,
        "samples_a_batch": A_BATCH,
        "ours": {
            f"{n}_batches_an_upload": {
                "samples_per_s": round(median[f"samples_per_s {n}"]),
                "uploads_per_s": round(median[f"samples_per_s {n}"] / A_BATCH / n),
                "latency_p50_ms": round(median[f"p50_ms {n}"], 2),
            }
            for n in (16, 1)
        }
        | {"bytes_a_sample": round(chunks, 1)},
        "references": {
            "rows_by_copy": {
                "samples_per_s": round(median["rows"]),
                "bytes_a_sample": round(rows, 1),
            }
        },
        "ratio": {
            f"{n}_batches_an_upload": round(median[f"samples_per_s {n}"] / median["rows"], 2)
            for n in (16, 1)
        },
    }
