"""The supervisor as a process of its own: ``python -m edge_runtime.host COMMANDS LEVEL``.

``COMMANDS`` is a JSON object of command lines by name. Whoever starts it has checked the settings
and becomes it by exec(2), so that nothing of what the check loaded stays in memory: 13 MB instead
of 75 at 10,000 points.
"""

import asyncio
import json
import logging
import signal
import sys
import time

from edge_runtime.clock import SystemClock
from edge_runtime.host.process import run_until_stopped
from edge_runtime.host.supervisor import supervise


def main(commands: str, level: str) -> int:
    """Supervise until told to stop; gives the exit code."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s.%(msecs)03dZ %(levelname)-7s edge: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    told = asyncio.run(run_until_stopped(supervise(json.loads(commands), SystemClock())))
    return 128 + signal.SIGINT if told == signal.SIGINT else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
