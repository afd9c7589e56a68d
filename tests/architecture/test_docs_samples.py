"""Samples in the documents are files that load, and commands that exist."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml

from tidegate.cli import app
from tidegate.edge.loading import load_gateway

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)?(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def samples(language: str) -> list:
    return [
        pytest.param(kind, text, id=f"{path.relative_to(ROOT)}-{number}")
        for path in DOCUMENTS
        for number, (found, kind, text) in enumerate(FENCE.findall(path.read_text()), 1)
        if found == language
    ]


# --- YAML ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "text"), samples("yaml"))
def test_yaml_loads(kind, text, tmp_path):
    tree = yaml.safe_load(text)
    match kind:
        case "gateway.yaml":
            (tmp_path / "gateway.yaml").write_text(text)
            assert load_gateway(tmp_path / "gateway.yaml").settings.name
        case "profile":
            (tmp_path / f"{tree['profile']}.yaml").write_text(text)
            (tmp_path / "gateway.yaml").write_text(gateway_with_profile(tree))
            (device,) = load_gateway(tmp_path / "gateway.yaml").settings.devices
            assert len(device.settings.points) == len(tree["points"])
        case "rules.yaml":
            devices = gateway_of_page("gateway-yaml.md").replace(
                "gateway:", "gateway:\n  rules: r.yaml"
            )
            (tmp_path / "gateway.yaml").write_text(devices)
            (tmp_path / "r.yaml").write_text(text)
            assert len(load_gateway(tmp_path / "gateway.yaml").rules) == len(tree["rules"])
        case _:
            assert isinstance(tree, dict | list)


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*gateway*.yaml")), ids=str)
def test_examples_load(file):
    assert load_gateway(file).settings.devices


@pytest.mark.parametrize(("file", "text"), samples("python"))
def test_code_in_a_document_is_the_file_it_names(file, text):
    assert (ROOT / file).read_text() == text


def gateway_of_page(name: str) -> str:
    found = FENCE.findall((ROOT / "docs" / name).read_text())
    return next(text for _, kind, text in found if kind == "gateway.yaml")


def gateway_with_profile(profile: dict) -> str:
    device = {
        "name": "one",
        "protocol": profile["protocol"],
        "profile": profile["profile"],
        "host": "192.0.2.1",
    }
    return yaml.safe_dump({"gateway": {"name": "a", "profiles": ["."]}, "devices": [device]})


# --- commands -----------------------------------------------------------------------------------


def commands(text: str) -> list[list[str]]:
    """The lines that a person types, without comments."""
    return [shlex.split(line[2:], comments=True) for line in text.splitlines() if line[:2] == "$ "]


@cache
def root():
    """The tree of commands; a group has ``commands``."""
    return typer.main.get_command(app)


def assert_exists(words: list[str]) -> None:
    command, rest = root(), words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no command {' '.join(words)}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    used = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert used <= known, f"{' '.join(words)}: unknown {used - known}"


@pytest.mark.parametrize(("kind", "text"), samples("console"))
def test_commands_in_samples_exist(kind, text):
    for words in commands(text):
        if words[0] == "tidegate":
            assert_exists(words)
        elif words[0] == "make":
            assert words[1] in TARGETS


def test_commands_in_running_text_exist():
    named = re.compile(r"`(tidegate [a-z][^`\n]*)`")
    for path in DOCUMENTS:
        for line in named.findall(path.read_text()):
            assert_exists(line.split())


# --- the command line's own page -----------------------------------------------------------------


def every_command(command, name: str) -> dict:
    if not hasattr(command, "commands"):
        return {name: command}
    found = {}
    for word, inner in command.commands.items():
        found |= every_command(inner, f"{name} {word}")
    return found


def test_every_command_and_option_is_on_the_page():
    page = (ROOT / "docs" / "cli.md").read_text()
    sections = dict(re.findall(r"^### `([^`]+)`\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    for name, command in every_command(root(), "tidegate").items():
        if command.hidden:
            continue
        assert name in sections
        shown = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
        options = {max(p.opts, key=len) for p in shown}
        said = set(re.findall(r"--[a-z-]+", sections[name]))
        assert options - {"--help", "--json"} <= said, name
