"""How one cloud process runs: made once at the entry point and passed down."""

import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

AUTHORITY_FOLDER = "authority"
DATABASE_FOLDER = "postgresql"
STATUS_FILE = "cloud.json"
"""In ``state_dir``; the file is there while the process serves."""
DEFAULT_HOST_NAMES = ("localhost", "127.0.0.1")


def machine_names() -> tuple[str, ...]:
    """Give the names by which this machine is reached without any setting."""
    name = socket.gethostname()
    return tuple(dict.fromkeys((*DEFAULT_HOST_NAMES, *([name] if name else []))))


class CloudSettings(BaseModel):
    """Settings of ``tidegate cloud run``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path
    """Authority, keys and, if embedded, the database."""
    database_url: SecretStr | None = None
    """The owner's connection string; None runs the embedded server in ``state_dir``."""
    host: str = "127.0.0.1"
    """Where HTTPS listens; HTTP listens on 127.0.0.1 only."""
    https_port: int = Field(default=8443, ge=0, le=65_535)
    http_port: int = Field(default=8080, ge=0, le=65_535)
    host_names: tuple[str, ...] = Field(default_factory=machine_names, min_length=1, max_length=20)
    """Names and addresses by which gateways reach this cloud: in its certificate, and accepted as
    audience of their assertions."""
    session_hours: int = Field(default=12, ge=1, le=24 * 30)
    request_limit_s: float = Field(default=20.0, gt=0, le=300)
    """Longest time for one request that is no stream."""
    drain_s: float = Field(default=1.5, ge=0, le=60)
    """Longest wait for open requests at the end."""

    @property
    def page_url(self) -> str:
        """Where people on this machine open the dashboard."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def gateway_urls(self) -> tuple[str, ...]:
        """Addresses that a gateway may be given for this cloud."""
        return tuple(f"https://{_bracketed(name)}:{self.https_port}" for name in self.host_names)


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
