"""Add devices to gateway.yaml as a person would: comments, order and format of the rest stay.

The text of the new devices is put behind the last one. Then the file is read again as a whole: only
if it says exactly what it said before, and the new devices, it replaces the old one, which is kept
as a backup beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from edge_runtime.durable import write_file
from edge_runtime.errors import SettingsError
from edge_runtime.marked_yaml import Marked, parse_marked
from edge_runtime.settings import FindDriver, load_settings

BACKUPS = 100
_HINT = "add the printed text by hand"

Entry = tuple[Mapping[str, Any], str]
"""The fields of a device, and the comment above it."""


def add_devices(file: Path, entries: Sequence[Entry], find_driver: FindDriver) -> Path:
    """Add devices to a gateway's file; gives the backup of what was there before.

    Raises:
        SettingsError: the file cannot be used, or not with these devices; it is as it was.

    """
    before = file.read_bytes()
    text = before.decode("utf-8")
    changed = with_devices(text, entries, file=str(file))
    beside = file.with_name(f".{file.stem}.proposed.yaml")
    mode = file.stat().st_mode & 0o777
    try:
        write_file(beside, changed.encode(), mode=mode)
        load_settings(beside, find_driver)
    finally:
        beside.unlink(missing_ok=True)
    backup = _free_backup(file)
    write_file(backup, before, mode=mode)
    write_file(file, changed.encode(), mode=mode)
    return backup


def with_devices(text: str, entries: Sequence[Entry], *, file: str = "gateway.yaml") -> str:
    """Give the text with these devices added.

    Raises:
        SettingsError: the text is no such file, or is written in a way that this cannot add to.

    """
    newline = "\r\n" if "\r\n" in text else "\n"
    before = parse_marked(text, file)
    changed = _inserted(text.replace("\r\n", "\n"), before, entries, file)
    changed = changed.replace("\n", newline)
    try:
        after = parse_marked(changed, file).plain()
    except SettingsError as exc:
        msg = f"{file} is written in a way that devices cannot be added to"
        raise SettingsError(msg, hint=_HINT) from exc
    expected = dict(before.plain())
    expected["devices"] = [
        *(expected.get("devices") or []),
        *(_plain(fields) for fields, _ in entries),
    ]
    if after != expected:
        msg = f"{file} is written in a way that devices cannot be added to"
        raise SettingsError(msg, hint=_HINT)
    return changed


def entry_text(entry: Mapping[str, Any], indent: int = 2, comment: str = "") -> str:
    """Write one device as an item of the list ``devices``."""
    pad = " " * indent
    lines = [f"{pad}# {comment}"] if comment else []
    dash = "- "
    for key, value in entry.items():
        if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            lines.append(f"{pad}{dash}{key}:")
            lines += [f"{pad}    - {_flow(item)}" for item in value]
        else:
            lines.append(f"{pad}{dash}{key}: {_flow(value)}")
        dash = "  "
    return "\n".join(lines) + "\n"


def _inserted(text: str, tree: Marked, entries: Sequence[Entry], file: str) -> str:
    if not isinstance(tree.value, dict):
        msg = f"{file}: expected the sections 'gateway' and 'devices'"
        raise SettingsError(msg)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    node = _devices_node(text)
    if node is None:
        blocks = [entry_text(fields, comment=comment) for fields, comment in entries]
        return "".join([*lines, "\ndevices:\n", *blocks])
    if not isinstance(node, yaml.SequenceNode) or (node.flow_style and not node.value):
        return _replace_empty(lines, node, entries)
    if node.flow_style:
        return _into_flow(text, node, entries)
    at = _line_after(node.value[-1])
    indent = node.start_mark.column
    blocks = [entry_text(fields, indent, comment) for fields, comment in entries]
    return "".join([*lines[:at], *blocks, *lines[at:]])


def _devices_node(text: str) -> yaml.Node | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return next((value for key, value in root.value if key.value == "devices"), None)


def _replace_empty(lines: list[str], node: yaml.Node, entries: Sequence[Entry]) -> str:
    """Turn ``devices: []`` or ``devices:`` into a list."""
    line, start, end = node.start_mark.line, node.start_mark.column, node.end_mark.column
    if node.start_mark.line == node.end_mark.line and start != end:
        head, tail = lines[line][:start].rstrip(), lines[line][end:].strip()
        lines[line] = f"{head}{'  ' + tail if tail else ''}\n"
    blocks = [entry_text(fields, comment=comment) for fields, comment in entries]
    return "".join([*lines[: line + 1], *blocks, *lines[line + 1 :]])


def _into_flow(text: str, node: yaml.SequenceNode, entries: Sequence[Entry]) -> str:
    """Put the devices behind the last one of ``devices: [{…}]``."""
    at = node.value[-1].end_mark.index
    added = "".join(f",\n  {_flow(fields)}" for fields, _ in entries)
    return text[:at] + added + text[at:]


def _line_after(node: yaml.Node) -> int:
    """Give the line behind the last word of a node; what comments follow stays below."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = node.end_mark
    return end.line + (1 if end.column else 0)


class _OneLine(yaml.SafeDumper):
    """Writes texts that would need more than one line in double quotes."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Represent a text."""
        style = None if text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _OneLine.represent_text)


def _flow(value: Any) -> str:
    """Write a value in one line."""
    text: str = yaml.dump(
        _plain(value),
        Dumper=_OneLine,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return text.removesuffix("...\n").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _free_backup(file: Path) -> Path:
    stamp = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    for number in range(BACKUPS):
        name = f"{file.name}.{stamp}{f'-{number}' if number else ''}.bak"
        if not (file.parent / name).exists():
            return file.with_name(name)
    msg = f"{file.parent} holds too many backups of this second"
    raise SettingsError(msg)
