"""ADRs are numbered, complete, short, and listed."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = (FOLDER / "README.md").read_text()
SECTIONS = ["## Context", "## Decision", "## Consequences", "## Enforced by"]
ONE_PAGE = 650
"""Words."""


def title_of(path: Path) -> str:
    return path.read_text().splitlines()[0].partition(": ")[2]


def test_numbers_are_contiguous():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_index_lists_every_decision_in_order():
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \| (\w+) \|$", INDEX, re.MULTILINE)
    expected = [(p.name[:4], p.name, title_of(p)) for p in DECISIONS]
    assert [row[:3] for row in listed] == expected


@pytest.mark.parametrize("path", DECISIONS, ids=lambda p: p.stem)
def test_decision_is_complete(path):
    text = path.read_text()
    assert text.startswith(f"# {path.name[:4]}: ")
    assert re.search(r"^Status: (accepted|superseded by \d{4}), \d{4}-\d{2}$", text, re.MULTILINE)
    assert re.findall(r"^## .+$", text, re.MULTILINE) == SECTIONS
    assert len(text.split()) <= ONE_PAGE
