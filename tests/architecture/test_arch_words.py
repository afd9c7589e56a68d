"""One word per thing: names in the code use none of the words that the glossary retires."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("edge_runtime", "components", "cloud_sync", "cloud_api", "simulators", "tidegate")
RETIRED = {
    "alarm": "alert",
    "asset": "device",
    "datapoint": "point",
    "slave": "unit",
    "spool": "outbox",
    "twin": "shadow",
    "unregister": "decommission",
}
"""Retired word → the word to use. Whole words of a name, singular or plural. "Tag" is not among
them: it also means a mark, and only review can tell."""
EXCUSED: dict[str, str] = {}
"""``file:name`` → why a foreign interface forces it."""


def names_in(path: Path) -> set[str]:
    names = {path.stem}
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.arg():
                names.add(node.arg)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def words_of(name: str) -> set[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return {word.removesuffix("s") for word in apart.split("_")}


def test_names_use_the_glossary():
    found = {
        f"{path.relative_to(ROOT)}:{name}": RETIRED[word]
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts
        for name in names_in(path)
        for word in words_of(name) & RETIRED.keys()
    }
    assert not {where: use for where, use in found.items() if where not in EXCUSED}


def test_retired_words_stand_in_the_glossary():
    glossary = (ROOT / "docs" / "glossary.md").read_text().lower()
    assert not [
        word for word, use in RETIRED.items() if word not in glossary or use not in glossary
    ]
