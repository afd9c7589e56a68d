import pytest

from tidegate.cli.read_tables import raw_table, read_table, show_solution
from tidegate.cli.scan_tables import show_scan
from tidegate.edge.proposing import Proposed
from tidegate.edge.reading import Beneath, PointRead, RawDevice, RawPoint
from tidegate.edge.scanning import Scanned, Skipped
from tidegate.edge.side_by_side import Proposal, Solution

READ = PointRead("co2", 503.0, "[/b]503", "[ppm]", "bad", "device_error:[x]", 90.0)
BENEATH = Beneath("[holding] 1", "43 67", "43 67", "uint16", 503, {"ABCD": 17255, "CDAB": None})
DEVICE = RawDevice("room", "[::1]:502", 0.1, [RawPoint(READ, BENEATH)])


@pytest.fixture
def columns(monkeypatch):
    def set_columns(count):
        monkeypatch.setenv("COLUMNS", str(count))
        monkeypatch.setenv("TTY_COMPATIBLE", "1")

    return set_columns


@pytest.mark.parametrize("width", [40, 160])
def test_what_looks_like_markup_is_shown_as_it_is(columns, capsys, width):
    columns(width)
    raw_table([DEVICE])
    shown = capsys.readouterr().out
    for words in ("[::1]", "[/b]503", "[ppm]", "[holding] 1", "43 67", "17255"):
        assert words in shown


def test_units_in_brackets_stay(capsys):
    read_table([DEVICE])
    assert "[ppm]" in capsys.readouterr().out


def test_the_age_is_shown_where_the_device_gives_its_time(columns, capsys):
    columns(200)
    raw_table([DEVICE])
    assert "90 s" in capsys.readouterr().out


def test_a_solution_says_what_to_write(capsys):
    proposal = Proposal(231.4, False, 1.0, {"type": "int16"}, "- {name: a, type: int16}", ["rare"])
    show_solution(Solution("m", "a", "231.4", "[degF]", True, [proposal], {"0": "0001"}, ["few"]))
    shown = capsys.readouterr().out
    assert "1. reads 231.4 [degF] likely (rare)" in shown
    assert "- {name: a, type: int16}" in shown
    assert "note: few" in shown


class Looked:
    """A scan as the table needs it."""

    scanned = Scanned([], 7, False, [Skipped("coap", "no [answer]")])
    notes = ("mine.yaml: [broken]",)
    proposals = (
        Proposed("old", "memory", "here", "SN 1", "Acme [M1]", "", ["a"], "old", "there", {}, [], []),
        Proposed(
            "new", "memory", "here", "", "Acme", "a", ["a", "b"], "", "", {"name": "new"},
            [READ] * 9, ["look twice"],
        ),
    )  # fmt: skip


def test_a_scan_fits_a_phone(columns, capsys):
    columns(40)
    show_scan(Looked())
    shown = capsys.readouterr().out
    for words in (
        "Acme [M1]",
        "there at there",
        "fits too: b",
        "[ppm]",
        "… 3 more points",
        "[answer]",
    ):
        assert words in shown
    assert "--max-requests" in shown
    assert max(map(len, shown.splitlines())) <= 160
