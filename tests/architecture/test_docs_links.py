"""What the documents point at exists: links, headings, files in backticks."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OURS = re.compile(
    r"`((?:edge_runtime|components|cloud_sync|cloud_api|simulators|tidegate|tests|docs|tools"
    r"|requirements|examples)/[\w./-]+)`"
)
"""A path of this repository in backticks. Patterns and placeholders are not paths."""
LATER = {"components/opcua"}
"""Named as what is to come."""


@cache
def text_of(path: Path) -> str:
    return path.read_text()


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors_of(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_code(text_of(path)), re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken_links(path: Path) -> list[str]:
    broken = []
    for link in LINK.findall(without_code(text_of(path))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        headless = anchor and target.suffix == ".md" and target.exists()
        if not target.exists() or (headless and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(path):
    assert not broken_links(path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_that_are_named_exist(path):
    named = {name.rstrip("/") for name in OURS.findall(text_of(path))} - LATER
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_document_can_be_reached_from_the_readme():
    reached, queue = set(), [ROOT / "README.md"]
    while queue:
        path = queue.pop()
        if path in reached or path.suffix != ".md" or not path.exists():
            continue
        reached.add(path)
        links = (link.partition("#")[0] for link in LINK.findall(text_of(path)))
        queue += [(path.parent / link).resolve() for link in links if link and ":" not in link]
    assert set(DOCUMENTS) <= reached
