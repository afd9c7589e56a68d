"""A site recorded off its simulators, and replayed into the ordinary runtime."""

import asyncio
import contextlib
import math
import stat
from collections import defaultdict
from pathlib import Path

import pytest
import pytest_asyncio

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.events import EventKind, decode_events
from cloud_sync.wire.samples import decode_samples
from edge_runtime.clock import SystemClock
from edge_runtime.errors import StoreError
from edge_runtime.host.context import Folders
from edge_runtime.model import Quality, Reading
from edge_runtime.normalise import Normaliser
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.recording.records import (
    VERSION,
    Answered,
    Header,
    Heard,
    Opened,
    RecordedDevice,
    ReplaySettings,
    Shown,
    Taken,
)
from edge_runtime.recording.tape import Tape, read_recording
from simulators.http.running import serve_devices
from simulators.http.sensor import Posting
from simulators.modbus.server import serve_plant
from tests.integration.http.test_int_http_posting import free_port
from tidegate.edge.recording import ReplayOptions, record_gateway, replay_file

TOKEN = "0123456789abcdef-secret"
GATEWAY = """\
gateway: {{name: cellar-1}}
devices:
  - {{name: meter, protocol: modbus, profile: demo-energy-meter, host: 127.0.0.1, port: {modbus},
      unit: 2, interval_s: 0.2}}
  - {{name: heat-pump, protocol: http, profile: demo-heat-pump, url: "http://127.0.0.1:{http}",
      interval_s: 0.2, token: {token}, headers: {{X-Extra: geheim-header}}}}
  - {{name: room-sensor, protocol: http, profile: demo-room-sensor, interval_s: 0.2,
      listen: "127.0.0.1:{listen}", token_file: token}}
  - {{name: gone, protocol: modbus, profile: demo-energy-meter, host: 127.0.0.1, port: {nobody}}}
"""
SECONDS = 2.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory):
    """A recording of three devices that answer and one that does not."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "token").write_text(TOKEN)
    posting = Posting("127.0.0.1", free_port(), "room-sensor", TOKEN)
    async with (
        serve_plant(first_port=0) as plant,
        serve_devices(port=0, posting=posting, interval_s=0.2) as port,
    ):
        text = GATEWAY.format(
            modbus=plant["energy-meter"][1], http=port, listen=posting.port, token=TOKEN,
            nobody=free_port(),
        )  # fmt: skip
        (folder / "gateway.yaml").write_text(text)
        out = folder / "site.tgrec"
        await record_gateway(
            folder / "gateway.yaml", out, seconds=SECONDS, max_bytes=1 << 24, told=lambda _: None
        )
    return out


def stored(state_dir, stream):
    reader = OutboxReader(Folders(state_dir).outbox)
    try:
        numbers = [n for r in reader.stored(stream) for n in range(r[0], r[1] + 1)]
        batches = [open_batch(b.message) for b in reader.load(stream, numbers, 1 << 30)]
    finally:
        reader.close()
    decode = decode_samples if stream is Stream.SAMPLES else decode_events
    return [item for batch in batches for item in decode(batch.payload)]


def values_by_point(samples):
    found = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: sample.received_us):
        if sample.quality is not Quality.BAD:
            found[sample.point].append(sample.value)
    return found


def expected(recording, device):
    """What the runtime made of this device's readings when they were recorded."""
    described = next(d for d in recording.header.devices if d.settings["name"] == device)
    normaliser, reported = Normaliser(ReplaySettings(**described.settings)), []
    for record in recording.records:
        if isinstance(record, Answered | Heard) and record.device == device:
            raw = [Reading(t.point, t.value, Quality(t.quality), t.reason) for t in record.readings]
            reported += normaliser.take(raw, record.t_us, record.t_us / 1e6).reported
    return values_by_point(reported)


async def test_replay_gives_what_the_site_gave(recorded, tmp_path):
    result = await replay_file(recorded, ReplayOptions(speed=1_000, state_dir=tmp_path / "s"))
    assert (result.dropped, result.damage) == (0, "")
    recording = read_recording(recorded)
    found = values_by_point(stored(tmp_path / "s", Stream.SAMPLES))
    for device in ("meter", "heat-pump", "room-sensor"):
        wanted = expected(recording, device)
        assert wanted
        for point, values in wanted.items():
            # The replay ends with the recording: the last read may fall on either side.
            assert found[point][: len(values) - 1] == values[:-1]
            assert len(found[point]) >= len(values) - 1


async def test_silent_device_is_silent_again(recorded, tmp_path):
    await replay_file(recorded, ReplayOptions(speed=1_000, state_dir=tmp_path / "s"))
    events = stored(tmp_path / "s", Stream.EVENTS)
    assert [e.kind for e in events].count(EventKind.DEVICE_SILENT) == 1


def test_recording_holds_no_secret_and_is_its_owners_alone(recorded):
    recording = read_recording(recorded)
    everything = repr(recording)
    assert len(recording.records) > 20
    assert not [word for word in (TOKEN, "geheim", "X-Extra") if word in everything]
    assert stat.S_IMODE(recorded.stat().st_mode) == 0o600


def test_raw_data_is_recorded_where_it_can_be_shown(recorded):
    shown = {r.device: r.points for r in read_recording(recorded).records if isinstance(r, Shown)}
    assert "GET /api/v1/status $.compressor.speed" in {text for _, text, _ in shown["heat-pump"]}


async def test_recording_is_never_written_over(recorded):
    with pytest.raises(StoreError, match="cannot be created"):
        await record_gateway(
            recorded.parent / "gateway.yaml", recorded, seconds=1, max_bytes=1 << 20,
            told=lambda _: None,
        )  # fmt: skip


async def test_torn_recording_is_replayed_up_to_its_end(recorded, tmp_path):
    torn = tmp_path / "torn.tgrec"
    torn.write_bytes(recorded.read_bytes()[:-40])
    result = await replay_file(torn, ReplayOptions(speed=1_000, state_dir=tmp_path / "s"))
    assert "torn" in result.damage
    assert result.samples > 0


async def test_faults_and_rules_act(recorded, tmp_path):
    (tmp_path / "faults.yaml").write_text("faults: [{device: meter, kind: silence, until_s: 60}]")
    (tmp_path / "gateway.yaml").write_text("gateway: {name: other, rules: r.yaml}")
    (tmp_path / "r.yaml").write_text(
        "rules: [{name: hot, event: {point: heat-pump/tank_temperature},"
        " condition: {above: 1 Cel}, alert: {message: hot}}]"
    )
    options = ReplayOptions(
        speed=1_000, faults=tmp_path / "faults.yaml", gateway=tmp_path / "gateway.yaml"
    )
    await replay_file(recorded, options)
    kinds = [e.kind for e in stored(tmp_path / "state", Stream.EVENTS)]
    assert EventKind.ALERT_RAISED in kinds
    assert kinds.count(EventKind.DEVICE_SILENT) == 2


async def test_loop_goes_on_until_it_is_stopped(recorded, tmp_path):
    options = ReplayOptions(speed=1_000, loop=True, state_dir=tmp_path / "s")
    task = asyncio.create_task(replay_file(recorded, options))
    await asyncio.sleep(0.5)
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    samples = stored(tmp_path / "s", Stream.SAMPLES)
    times = [sample.received_us for sample in samples]
    assert max(times) - min(times) > 2 * SECONDS * 1_000_000


async def test_a_quarter_of_an_hour_passes_in_seconds_and_loses_nothing(tmp_path):
    points = [{"name": "p", "decimals": 2}]
    device = RecordedDevice("modbus", "x", {"name": "m", "interval_s": 2.0, "points": points})
    with (tmp_path / "quarter.tgrec").open("wb") as file:
        tape = Tape(file, Header(VERSION, "a", 1_700_000_000_000_000, "0", (device,)), 1 << 30)
        tape.add(Opened(0, "m", False))
        for s in range(0, 900, 2):
            value = round(math.sin(s) * 10, 2)
            tape.add(Answered(s * 1_000_000, "m", 2_000, (Taken("p", value, 0, "", None),)))
        tape.end(900_000_000)
    options = ReplayOptions(speed=1_000, times="recorded", state_dir=tmp_path / "s")
    result = await replay_file(tmp_path / "quarter.tgrec", options)
    assert result.readings in {450, 451}
    assert result.dropped == 0
    assert result.took_s < 30
    samples = stored(tmp_path / "s", Stream.SAMPLES)
    assert len(samples) == result.samples > 400
    assert samples[0].received_us < 1_700_000_100_000_000


async def test_example_is_whole_and_replays(tmp_path):
    example = Path(__file__).parents[3] / "examples" / "demo-site.tgrec"
    recording = read_recording(example)
    assert len(recording.header.devices) == 5
    result = await replay_file(example, ReplayOptions(speed=1_000, state_dir=tmp_path / "s"))
    assert (result.damage, result.dropped) == ("", 0)
    assert result.samples > 1_000


async def test_fast_pass_ends_now(recorded, tmp_path):
    now_us = SystemClock().wall_us()
    await replay_file(recorded, ReplayOptions(speed=1_000, state_dir=tmp_path / "s"))
    newest = max(sample.received_us for sample in stored(tmp_path / "s", Stream.SAMPLES))
    assert abs(newest - now_us) < 2_000_000
