"""Where a page of alerts ended, as an opaque text."""

import base64
import binascii
from datetime import datetime

from cloud_api.errors import InvalidRequestError

MAX_CHARS = 200


def write_cursor(raised_at: datetime, alert: str) -> str:
    """Name the place behind an alert."""
    raw = f"{raised_at.isoformat()} {alert}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str]:
    """Read a cursor that this API gave.

    Raises:
        InvalidRequestError: it did not.

    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        time, _, alert = raw.decode().partition(" ")
        raised_at = datetime.fromisoformat(time)
        if raised_at.tzinfo is None or not alert or "\0" in alert:
            raise ValueError
    except (binascii.Error, ValueError) as exc:
        raise InvalidRequestError(
            "the cursor is not one of this list", hint="start again without a cursor"
        ) from exc
    return raised_at, alert
