"""Logs of our processes: one event a line on standard error, its fields as ``key=value``."""

import logging
from time import gmtime, strftime

SILENT = logging.CRITICAL + 1
"""For a library that logs whatever it also raises: its driver tells it, once."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """Time in UTC, level, process, event, fields."""

    def __init__(self, process: str) -> None:
        super().__init__(
            f"%(asctime)s.%(msecs)03dZ %(levelname)-7s {process}: %(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S",
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """Write the time in UTC."""
        return strftime(datefmt or "%Y-%m-%dT%H:%M:%S", gmtime(record.created))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Add what was given as ``extra``."""
        fields = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        text = super().formatMessage(record)
        return text + "".join(f" {key}={value!s:.200}" for key, value in fields.items())


def set_up(process: str, *, level: str = "INFO") -> None:
    """Log to standard error; called once, at a process's entry."""
    handler = logging.StreamHandler()
    handler.setFormatter(EventFormatter(process))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("pymodbus", "httpx", "httpcore", "asyncio", "coap"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncua").setLevel(SILENT)
