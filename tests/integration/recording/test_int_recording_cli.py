"""``tidegate edge record`` and ``replay`` as processes."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from edge_runtime.recording.tape import read_recording
from simulators.http.running import serve_devices

EXAMPLE = Path(__file__).parents[3] / "examples" / "demo-site.tgrec"
GATEWAY = """\
gateway: {{name: cellar-1}}
devices:
  - {{name: heat-pump, protocol: http, profile: demo-heat-pump, url: "http://127.0.0.1:{port}",
      interval_s: 0.1}}
"""


async def tidegate(*words, cwd):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", *words, cwd=cwd,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
async def folder(tmp_path):
    async with serve_devices(port=0) as port:
        (tmp_path / "gateway.yaml").write_text(GATEWAY.format(port=port))
        yield tmp_path


async def recorded_some(out):
    for _ in range(500):
        if out.exists() and out.stat().st_size > 1_000:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_interrupted_recording_is_whole(folder):
    process = await tidegate("edge", "record", cwd=folder)
    await recorded_some(folder / "site.tgrec")
    process.send_signal(signal.SIGINT)
    _, told = await process.communicate()
    assert process.returncode == 0
    assert b"1 devices" in told
    assert read_recording(folder / "site.tgrec").damage == ""


async def test_killed_recording_keeps_what_was_written(folder):
    process = await tidegate("edge", "record", cwd=folder)
    await recorded_some(folder / "site.tgrec")
    process.kill()
    await process.communicate()
    recording = read_recording(folder / "site.tgrec")
    assert recording.damage
    assert recording.records


async def test_recording_that_is_there_stays(folder):
    out = folder / "there.tgrec"
    out.write_bytes(b"mine")
    process = await tidegate("edge", "record", "--out", str(out), cwd=folder)
    _, told = await process.communicate()
    assert process.returncode == 1
    assert b"never written over" in told
    assert out.read_bytes() == b"mine"


async def test_replay_tells_what_became_of_it(tmp_path):
    process = await tidegate(
        "edge", "replay", str(EXAMPLE), "--speed", "1000", "--json", cwd=tmp_path
    )
    told, log = await process.communicate()
    assert process.returncode == 0, log
    result = json.loads(told)
    assert result["samples"] > 1_000
    assert result["dropped"] == 0
    assert (tmp_path / "replay-state" / "outbox").is_dir()


async def test_wrong_fault_is_told_with_line_and_cure(tmp_path):
    (tmp_path / "faults.yaml").write_text(
        "faults:\n  - {device: heat-pimp, kind: slow, until_s: 1}\n"
    )
    process = await tidegate(
        "edge", "replay", str(EXAMPLE), "--faults", "faults.yaml", cwd=tmp_path
    )
    _, told = await process.communicate()
    assert process.returncode == 6
    assert b"faults.yaml:2: faults[0].device: no device" in told
    assert b"did you mean 'heat-pump'" in told
