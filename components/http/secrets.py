"""Secrets out of the settings or the files they name; read when a device is opened, kept nowhere."""

import base64
from pathlib import Path

from pydantic import SecretStr

from components.http import limits
from components.http.settings import Settings, is_header_value
from edge_runtime.errors import DeviceRefusedError

MODE_HINT = "The file must hold the secret alone, and be readable for the gateway's user."


def read_secret(given: SecretStr | None, file: Path | None) -> str | None:
    """Give a secret, or None where there is none.

    Raises:
        DeviceRefusedError: the file cannot be read, or holds no secret.

    """
    if given is not None:
        return given.get_secret_value()
    return None if file is None else _text(file).strip()


def request_headers(settings: Settings) -> dict[str, str]:
    """Give the headers of every request to a polled device.

    Raises:
        DeviceRefusedError: a file that holds a secret cannot be read.

    """
    headers = dict(settings.headers)
    if settings.headers_file is not None:
        headers |= _lines(settings.headers_file)
    token = read_secret(settings.token, settings.token_file)
    password = read_secret(settings.password, settings.password_file)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    elif settings.username is not None:
        pair = f"{settings.username}:{password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    for name, value in headers.items():
        if not is_header_value(value):
            msg = f"the secret for the header '{name}' holds characters that no header may have"
            raise DeviceRefusedError(msg, hint=MODE_HINT)
    return headers


def _lines(file: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(_text(file).splitlines(), 1):
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or not name.strip() or " " in name.strip() or not name.isascii():
            msg = f"{file}, line {number}: expected 'Name: value'"
            raise DeviceRefusedError(msg, hint=MODE_HINT)
        found[name.strip()] = value.strip()
    return found


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(limits.MAX_SECRET_BYTES + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as exc:
        told = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        msg = f"the secret in {file} cannot be read: {told}"
        raise DeviceRefusedError(msg, hint=MODE_HINT) from exc
    if not text.strip() or len(data) > limits.MAX_SECRET_BYTES:
        msg = f"{file} is empty, or longer than {limits.MAX_SECRET_BYTES} bytes"
        raise DeviceRefusedError(msg, hint=MODE_HINT)
    return text
