"""How a broker is reached; devices with the same settings share one connection."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from components.mqtt import limits
from edge_runtime.driver import DeviceSettings


class TlsSettings(BaseModel):
    """TLS to the broker; its certificate is always verified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca_file: Path | None = None
    """Authority that signed the broker's certificate, PEM; the system's own by default."""
    certificate_file: Path | None = None
    """Our certificate, PEM, for brokers that ask for one."""
    key_file: Path | None = None

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            msg = "'certificate_file' and 'key_file' belong together"
            raise ValueError(msg)
        return self


class Will(BaseModel):
    """What the broker publishes, retained, when we vanish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    gone: str
    """``NOW_MS`` in it becomes the time of the connection in ms since 1970."""
    alive: str
    """Published on the same topic once we are connected."""

    def at(self, now_ms: int) -> "Will":
        """Fill in the time of a connection."""
        now = str(now_ms)
        return Will(
            topic=self.topic,
            gone=self.gone.replace("NOW_MS", now),
            alive=self.alive.replace("NOW_MS", now),
        )


class BrokerAddress(BaseModel):
    """Everything that makes a connection the one that it is: the key of the sharing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int
    tls: TlsSettings | None
    username: str
    password_file: Path | None
    client_id: str
    version: str
    keepalive_s: int
    clean_start: bool
    session_expiry_s: int
    max_payload_bytes: int
    will: Will | None = None

    @property
    def at(self) -> str:
        """Where the broker is, for people."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class BrokerSettings(DeviceSettings):
    """A device behind a broker."""

    host: str = Field(min_length=1, max_length=253)
    """The broker's name or address."""
    port: int = Field(default=limits.PORT, ge=1, le=65_535)
    tls: TlsSettings | None = None
    username: str = Field(default="", max_length=256)
    password_file: Path | None = None
    """A file that holds the password and nothing else."""
    client_id: str = Field(default="", max_length=64, pattern=r"^[A-Za-z0-9_.:-]*$")
    """A random one for each connection by default."""
    version: Literal["3.1.1", "5.0"] = "3.1.1"
    keepalive_s: int = Field(default=30, ge=5, le=3_600)
    clean_start: bool = True
    """False: the broker keeps what arrives while we are away, for QoS 1 and 2; needs a client_id."""
    session_expiry_s: int = Field(default=3_600, ge=0, le=0xFFFFFFFE)
    """How long the broker keeps it (5.0); only without clean_start."""
    qos: Literal[0, 1, 2] = 0
    """Of our subscriptions."""
    max_payload_bytes: int = Field(default=limits.MAX_PAYLOAD, ge=256, le=4 << 20)
    """Longer messages are not looked into."""

    @field_validator("version", mode="before")
    @classmethod
    def _version_without_quotes(cls, value: object) -> object:
        return {5.0: "5.0", "5": "5.0", "3": "3.1.1"}.get(value, value) if _plain(value) else value

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        if self.password_file is not None and not self.username:
            msg = "'password_file' needs a 'username'"
            raise ValueError(msg)
        if not self.clean_start and not self.client_id:
            msg = "'clean_start: false' needs a 'client_id': the broker keeps messages by it"
            raise ValueError(msg)
        return self

    @property
    def broker(self) -> BrokerAddress:
        """The connection that this device shares."""
        shared = {
            name: getattr(self, name) for name in BrokerAddress.model_fields if name != "will"
        }
        return BrokerAddress(**shared, will=self.will())

    def will(self) -> Will | None:
        """Give the last will of the connection; none, unless a protocol on top wants one."""
        return None


def _plain(value: object) -> bool:
    return isinstance(value, str | float | int) and not isinstance(value, bool)
