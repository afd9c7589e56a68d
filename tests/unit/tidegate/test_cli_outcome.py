import logging
import subprocess
import sys

import pytest

from cloud_sync.errors import ClaimRefusedError, IdentityError, LineDownError
from edge_runtime.errors import DeviceUnreachableError, SettingsError, StoreFullError
from tidegate.cli.logs import EventFormatter
from tidegate.cli.outcome import ExitCode, report


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("wrong"), ExitCode.PROBLEMS),
        (DeviceUnreachableError(), ExitCode.UNREACHABLE),
        (StoreFullError(), ExitCode.FAILED),
        (ClaimRefusedError(), ExitCode.NOT_SIGNED_IN),
        (IdentityError(), ExitCode.NOT_SIGNED_IN),
        (LineDownError(), ExitCode.UNREACHABLE),
        (ExceptionGroup("", [StoreFullError()]), ExitCode.FAILED),
        (ZeroDivisionError(), None),
    ],
)
def test_each_error_has_its_exit_code(error, code):
    assert report(error) == code


def test_an_error_is_told_with_its_hint(capsys):
    report(SettingsError("the file is wrong", hint="mend it"))
    assert capsys.readouterr().err == "the file is wrong\n→ mend it\n"


def test_logs_are_one_line_with_fields_in_utc():
    record = logging.makeLogRecord(
        {"msg": "committed", "levelname": "INFO", "created": 0, "seq": 7}
    )
    record.msecs = 5
    line = EventFormatter("runtime").format(record)
    assert line == "1970-01-01T00:00:00.005Z INFO    runtime: committed seq=7"


def test_help_loads_neither_drivers_nor_stores():
    code = (
        "import sys, tidegate.cli\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'pymodbus', 'pydantic', 'httpx', 'sqlite3', 'fastapi', 'numpy', 'cryptography'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
