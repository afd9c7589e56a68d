"""An installer's way through a real Modbus plant: scan, compare, solve, commission, hand over."""

import asyncio
import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import shutil
import struct
import sys
import termios
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from typer.testing import CliRunner

from simulators.modbus.server import serve_plant
from tidegate.cli import app

FILE = """\
# The cellar of the works.
gateway:
  name: cellar-1
devices:
  - name: meter      # next to the door
    protocol: modbus
    profile: demo-energy-meter
    host: 127.0.0.1
    port: {port}
    unit: 2
    points:
      - {{name: voltage_l1, word_order: BADC}}
"""
NARROW = {"width": 360, "height": 740}


@pytest.fixture
async def port():
    async with serve_plant(first_port=0) as devices:
        yield devices["energy-meter"][1]


@pytest.fixture
def file(tmp_path, port, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "gateway.yaml"
    path.write_text(FILE.format(port=port))
    return path


async def invoke(*words, typed=None):
    """Run a command beside the plant, which lives in this loop."""
    runner = CliRunner()
    result = await asyncio.to_thread(runner.invoke, app, ["edge", *map(str, words)], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


# --- beside the display --------------------------------------------------------------------------


async def test_raw_shows_bytes_and_orders(file):
    result = await invoke("read", file, "--raw", "--point", "frequency", "--json")
    (point,) = json.loads(result.stdout)["devices"][0]["points"]
    under = point["beneath"]
    assert (under["type"], len(bytes.fromhex(under["data"]))) == ("float32", 4)
    assert under["orders"]["CDAB"] == pytest.approx(point["read"]["value"], abs=0.01)
    assert set(under["orders"]) == {"ABCD", "CDAB", "BADC", "DCBA"}


@pytest.mark.parametrize("columns", ["40", "160"])
async def test_raw_fits_a_phone_and_a_desk(file, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    result = await invoke("read", file, "--raw", "--point", "frequency")
    assert result.exit_code == 0
    assert "CDAB" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 160


async def test_reading_some_points_reads_no_others(file):
    result = await invoke("read", file, "--point", "frequency", "--json")
    (point,) = json.loads(result.stdout)["devices"][0]["points"]
    assert (point["point"], point["unit"], point["quality"]) == ("frequency", "Hz", "good")


async def test_a_point_that_is_not_there_is_suggested(file):
    result = await invoke("read", file, "--point", "frequenci")
    assert result.exit_code == 3
    assert "did you mean 'frequency'?" in result.stderr


async def displayed(file, point):
    """What the meter's display shows; the plant is alive, so just before it is asked for."""
    result = await invoke("read", file, "--point", point, "--json")
    return json.loads(result.stdout)["devices"][0]["points"][0]["shown"]


async def test_the_solver_finds_the_order_that_the_display_tells(file):
    path = file.read_text()
    file.write_text(path.replace(", word_order: BADC", ", address: 0"))
    shown = await displayed(file, "voltage_l1")
    file.write_text(path)
    words = ("--device", "meter", "--point", "voltage_l1", "--display", shown, "--reads", 2)
    result = await invoke("solve", file, *words, "--json")
    first = json.loads(result.stdout)["proposals"][0]
    assert first["changes"] == {"word_order": "CDAB"}
    assert first["line"] == "- {name: voltage_l1, word_order: CDAB}"
    assert (await invoke("solve", file, *words)).exit_code == 0


async def test_a_display_that_nothing_fits_is_a_problem(file):
    words = ("--device", "meter", "--point", "voltage_l1", "--reads", 1)
    result = await invoke("solve", file, *words, "--display", "987654.3")
    assert result.exit_code == 6
    assert "nothing around 'voltage_l1' reads like 987654.3" in result.stderr


@pytest.mark.parametrize(("display", "code"), [("0", 2), ("much", 2)])
async def test_a_display_that_is_no_help_is_wrong_usage(file, display, code):
    words = ("--device", "meter", "--point", "voltage_l1", "--display", display)
    assert (await invoke("solve", file, *words)).exit_code == code


async def test_a_label_has_nothing_to_solve(file):
    words = ("--device", "meter", "--point", "tariff", "--display", "12")
    with pytest.raises(Exception, match="is no number"):
        await invoke("solve", file, *words)


# --- commissioning -------------------------------------------------------------------------------


@pytest.fixture
async def sheet(tmp_path, file):
    """A list of expectations, from what the meter reads, with one error in it."""
    result = await invoke("read", file, "--json")
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["point", "expected", "tolerance"])
    for point in json.loads(result.stdout)["devices"][0]["points"]:
        if point["quality"] == "good" and point["point"] != "voltage_l1":
            rows.writerow([f"meter/{point['point']}", point["shown"], "20 %"])
    rows.writerow(["meter/voltage_l1", "230", "5 %"])
    path = tmp_path / "expected.csv"
    path.write_text(text.getvalue())
    return path


async def test_a_list_of_expectations_finds_the_wrong_point(file, sheet, tmp_path):
    out = tmp_path / "report.html"
    words = ("--by", "Ada", "--expect", sheet, "--out", out, "--json")
    result = await invoke("commission", file, *words)
    told = json.loads(result.stdout)
    rejected = [c["point"] for c in told["problems"] if c["verdict"] == "rejected"]
    assert (result.exit_code, rejected) == (6, ["voltage_l1"])
    assert (await invoke("verify-report", out)).exit_code == 0


async def test_a_report_that_was_altered_is_found_out(file, sheet, tmp_path):
    out = tmp_path / "report.html"
    await invoke("commission", file, "--by", "Ada", "--expect", sheet, "--out", out)
    out.write_text(out.read_text().replace(">rejected<", ">accepted<"))
    result = await invoke("verify-report", out)
    assert result.exit_code == 6
    assert "altered after it was signed" in result.stderr


async def test_a_walk_is_taken_up_after_the_battery_died(file):
    first = await invoke("commission", file, "--by", "Ada", typed="x\nwrong order\n\n")
    assert "14 points are left" in first.stderr
    second = await invoke("commission", file, "--by", "Bea", typed="\n" * 3 + "q\n")
    assert "2 of 16 points were checked before" in second.stderr
    assert "11 points are left" in second.stderr
    third = await invoke("commission", file, "--by", "Cem", "--report-only", "--json")
    counts = json.loads(third.stdout)["counts"]
    assert (third.exit_code, counts) == (
        6,
        {"accepted": 4, "rejected": 1, "skipped": 0, "open": 11},
    )
    assert list(Path.cwd().glob("cellar-1-hand-over-*.html"))


async def test_a_report_reads_on_a_phone(file, sheet, tmp_path):
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs chromium (Debian: chromium; `make packages`)")
    out = tmp_path / "report.html"
    await invoke("commission", file, "--by", "Ada", "--expect", sheet, "--out", out)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=options)
        page = await browser.new_page(viewport=NARROW)
        heard = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("request", lambda request: heard.append(request.url))
        await page.goto(out.as_uri())
        assert await page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
        assert await page.get_by_text("voltage_l1").first.is_visible()
        assert heard == [out.as_uri()]
        await browser.close()


# --- looking for devices -------------------------------------------------------------------------


async def test_a_scan_proposes_and_adds_what_is_new(file, port):
    words = ("scan", "modbus", f"127.0.0.1:{port}", "--option", "units=1-3", "--timeout", "0.3")
    before = file.read_text()
    dry = await invoke(*words, "--into", file, "--profile", "demo-pump-station", "--dry-run")
    assert (dry.exit_code, file.read_text()) == (0, before)
    assert "profile: demo-pump-station" in dry.stdout
    done = await invoke(*words, "--into", file, "--profile", "demo-pump-station", "--yes", "--json")
    told = json.loads(done.stdout)
    assert "meter" in {found["known_as"] for found in told["found"]}
    assert len(told["added"]) == 1  # what answers as unit 3 has no good value
    assert file.read_text().startswith(before)
    again = await invoke(*words, "--into", file, "--yes", "--json")
    assert json.loads(again.stdout)["added"] == []
    assert (await invoke("check", file)).exit_code == 0


async def test_where_nobody_can_be_asked_a_scan_says_how(file):
    result = await invoke("scan", "modbus", "127.0.0.1", "--into", file)
    assert result.exit_code == 2
    assert "--yes" in result.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("scan", "morse"), 3),
        (("scan", "modbus", "127.0.0.1", "--option", "units"), 2),
        (("scan", "modbus", "127.0.0.1", "--into", "nowhere.yaml", "--yes"), 3),
        (("commission", "gateway.yaml", "--by", "A", "--tolerance", "much"), 2),
        (("commission", "gateway.yaml", "--by", "A", "--device", "metre"), 3),
        (("verify-report", "nowhere.html"), 3),
        (("verify-report", "gateway.yaml"), 6),
    ],
)
async def test_what_is_wrong_is_told_by_the_exit_code(file, words, code):
    assert (await invoke(*words)).exit_code == code


async def test_a_person_picks_on_a_small_terminal(file, port):
    words = ["scan", "modbus", f"127.0.0.1:{port}", "--option", "units=1-2", "--into", str(file)]
    async with on_a_terminal([sys.executable, "-m", "tidegate", "edge", *words]) as terminal:
        await terminal.until("Add which?")
        await terminal.type("1=demo-pump-station\n")
        await terminal.until("[Y/n]")
        assert "demo-pump-station" not in file.read_text()
        await terminal.type("\n")
        await terminal.until("added to")
    assert "profile: demo-pump-station" in file.read_text()


class Terminal:
    """A person at a terminal of 40 columns."""

    def __init__(self, handle):
        self._handle = handle
        self.shown = ""

    async def until(self, words):
        """Wait for words on the screen."""
        async with asyncio.timeout(20):
            while words not in self.shown:
                await asyncio.sleep(0.02)
                with contextlib.suppress(BlockingIOError, OSError):
                    self.shown += os.read(self._handle, 65_536).decode()

    async def type(self, text):
        os.write(self._handle, text.encode())


@contextlib.asynccontextmanager
async def on_a_terminal(command):
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 40, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        yield Terminal(ours)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
