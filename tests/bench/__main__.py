"""Run benchmarks: ``python -m tests.bench [NAME ...] [--json]``.

Each benchmark is a module here with ``run() -> dict`` (or ``async def run()``): ours, each
reference and the ratio, medians of at least three runs. Without names all of them run.
"""

# ruff: noqa: T201 - a command that prints

import argparse
import asyncio
import importlib
import inspect
import json
import os
import platform
import sqlite3  # noqa: TID251 - only its version
import sys
from pathlib import Path

NAMES = (
    "modbus", "requests", "peer-modbus", "opcua", "bacnet", "mqtt",
    "outbox", "wire", "ingest", "adapter", "footprint",
)  # fmt: skip
SOAK = "soak"
"""Takes an hour, so it runs only when it is named."""


def machine() -> dict[str, object]:
    """Describe what the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "sqlite": sqlite3.sqlite_version,
    }


def run_bench(name: str, **options: float) -> dict[str, object]:
    """Run one benchmark module."""
    result = importlib.import_module(f"tests.bench.{name.replace('-', '_')}").run(**options)
    return asyncio.run(result) if inspect.isawaitable(result) else result


def flat(result: dict[str, object], above: str = "") -> dict[str, object]:
    """Lay nested results out as ``a.b`` for the table."""
    lines: dict[str, object] = {}
    for key, value in result.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            lines |= flat(value, f"{name}.")
        else:
            lines[name] = value
    return lines


def readable(value: object) -> str:
    """Write a figure with thousands apart, and three digits where it is small."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:,.3g}"


def table(results: dict[str, dict[str, object]]) -> str:
    """Lay results out for a person."""
    lines = []
    for name, result in results.items():
        figures = flat(result)
        width = max(map(len, figures), default=0)
        lines += ["", name, *(f"  {key:<{width}}  {readable(figures[key])}" for key in figures)]
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Run what was asked for; results on stdout, progress on stderr."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, help="how long the soak takes (3600)")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - {*NAMES, SOAK}:
        parser.error(
            f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}"
        )
    results = {}
    for name in asked.names or NAMES:
        print(f"bench: {name}", file=sys.stderr)
        options = {"seconds": asked.seconds} if name == SOAK and asked.seconds else {}
        results[name] = run_bench(name, **options)
    if not asked.json:
        print(table(results), "", table({"machine": machine()}), sep="\n")
    elif len(asked.names) == 1:
        print(json.dumps(results[asked.names[0]] | {"machine": machine()}, indent=2))
    else:
        print(json.dumps({"benches": results, "machine": machine()}, indent=2))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1:])
