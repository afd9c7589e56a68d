"""Where a point lies in an OPC UA server, and how the server is reached, trusted and asked."""

from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from components.opcua import limits
from components.opcua.nodeids import parse
from edge_runtime import model
from edge_runtime.driver import DeviceSettings
from edge_runtime.names import POINT_NAME

ENDPOINT = r"^opc\.tcp://[^\s/@?#]+(/\S*)?$"


class SecurityPolicy(StrEnum):
    """How messages are signed and encrypted (Part 7, 6.6)."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES256SHA256RSAPSS = "Aes256Sha256RsaPss"


class SecurityMode(StrEnum):
    """Whether messages are signed only (Part 4, 7.20)."""

    SIGN = "Sign"
    SIGN_AND_ENCRYPT = "SignAndEncrypt"


class DataType(StrEnum):
    """The built-in types that a point may have (Part 6, 5.1.2)."""

    BOOLEAN = "Boolean"
    SBYTE = "SByte"
    BYTE = "Byte"
    INT16 = "Int16"
    UINT16 = "UInt16"
    INT32 = "Int32"
    UINT32 = "UInt32"
    INT64 = "Int64"
    UINT64 = "UInt64"
    FLOAT = "Float"
    DOUBLE = "Double"
    STRING = "String"
    DATE_TIME = "DateTime"
    GUID = "Guid"
    BYTE_STRING = "ByteString"
    LOCALIZED_TEXT = "LocalizedText"


def _node_id(text: str) -> str:
    parse(text)
    return text


class Point(model.Point):
    """The value of one variable node."""

    node: str = Field(min_length=1, max_length=limits.MAX_NODE_TEXT)
    """Node id as text: ``ns=2;s=Level``, or with the namespace's URI ``nsu=urn:acme:plc;s=Level``."""
    index: int | None = Field(default=None, ge=0, le=65_535)
    """Take this element of an array, counted from 0."""
    type: DataType | None = None
    """A value of another type is bad (``configuration``); any by default."""
    sampling_s: float | None = Field(default=None, ge=0, le=86_400)
    """How often the server looks; the point's or the device's interval by default, 0: its fastest."""
    queue_size: int = Field(default=1, ge=1, le=limits.MAX_QUEUE)
    """Values that the server keeps between two reports."""
    server_deadband: float | None = Field(default=None, gt=0)
    """The server reports only what moved by more than this, in raw units."""
    server_deadband_percent: float | None = Field(default=None, gt=0, le=100)
    """The same in per cent of the node's EURange."""
    subscribe: bool = True
    """False: polled although the server could report it."""

    _node = field_validator("node")(_node_id)

    @model_validator(mode="after")
    def _one_deadband(self) -> Self:
        if self.server_deadband is not None and self.server_deadband_percent is not None:
            msg = "give 'server_deadband' or 'server_deadband_percent', not both"
            raise ValueError(msg)
        return self


class Method(BaseModel):
    """A method that commands may call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=POINT_NAME, max_length=63)
    object: str = Field(min_length=1, max_length=limits.MAX_NODE_TEXT)
    """Node id of the object that it is called on."""
    method: str = Field(min_length=1, max_length=limits.MAX_NODE_TEXT)
    """Node id of the method itself."""
    description: str = Field(default="", max_length=200)

    _nodes = field_validator("object", "method")(_node_id)


class Settings(DeviceSettings):
    """One OPC UA server, secured by default."""

    endpoint: str = Field(pattern=ENDPOINT, max_length=500)
    """``opc.tcp://10.0.0.9:4840/path``."""
    security_policy: SecurityPolicy = SecurityPolicy.BASIC256SHA256
    security_mode: SecurityMode | None = None
    """SignAndEncrypt by default; none belongs to the policy None."""
    user: str = Field(default="", max_length=200)
    """Empty: anonymous, or by certificate where one is given."""
    password: SecretStr | None = None
    password_file: Path | None = None
    user_certificate_file: Path | None = None
    """PEM or DER: the person's certificate, not the gateway's."""
    user_key_file: Path | None = None
    """Its private key, PEM without a password."""
    pki_dir: Path = Path("pki/opcua")
    """Folder of the gateway's own certificate and of the servers' that it trusts."""
    application_uri: str = Field(default="", max_length=500)
    """Name of the gateway in its certificate; made from the host's name where empty."""
    timeout_s: float = Field(default=4.0, gt=0, le=60)
    """Longest wait for one answer."""
    subscribe: bool = True
    """False: everything is polled."""
    publishing_s: float | None = Field(default=None, ge=0.05, le=3_600)
    """How often the server reports what changed; the device's interval by default."""
    session_timeout_s: float = Field(default=60.0, ge=5, le=3_600)
    max_nodes_per_call: int = Field(default=limits.NODES_PER_CALL, ge=1, le=10_000)
    """Most nodes in one request, where the server does not ask for fewer."""
    methods: tuple[Method, ...] = Field(default=(), max_length=limits.MAX_METHODS)
    points: tuple[Point, ...] = Field(min_length=1)

    @field_validator("endpoint")
    @classmethod
    def _has_a_port(cls, value: str) -> str:
        try:
            port = urlsplit(value).port
        except ValueError:
            msg = f"the port in '{value}' is no number up to 65535"
            raise ValueError(msg) from None
        if port == 0:
            msg = "port 0 is no port of a server"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        secure = self.security_policy is not SecurityPolicy.NONE
        both = self.user_certificate_file is not None and self.user_key_file is not None
        neither = self.user_certificate_file is None and self.user_key_file is None
        names = [method.name for method in self.methods]
        for wrong, msg in (
            (
                not secure and self.security_mode is not None,
                "'security_mode' needs a 'security_policy' other than None",
            ),
            (
                self.password is not None and self.password_file is not None,
                "give 'password' or 'password_file', not both",
            ),
            (
                bool(self.user) != (self.password is not None or self.password_file is not None),
                "'user' and 'password_file' belong together",
            ),
            (
                not both and not neither,
                "'user_certificate_file' and 'user_key_file' belong together",
            ),
            (bool(self.user) and both, "log in by 'user' or by certificate, not both"),
            (
                both and not secure,
                "a certificate of a person needs a 'security_policy' other than None",
            ),
            (len(names) != len(set(names)), "two methods have the same name"),
        ):
            if wrong:
                raise ValueError(msg)
        return self

    @property
    def url(self) -> str:
        """The endpoint with its port."""
        parts = urlsplit(self.endpoint)
        if parts.port is not None:
            return self.endpoint
        return parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{limits.PORT}").geturl()

    @property
    def mode(self) -> SecurityMode | None:
        """The mode in force; None for no security."""
        if self.security_policy is SecurityPolicy.NONE:
            return None
        return self.security_mode or SecurityMode.SIGN_AND_ENCRYPT

    @property
    def reports_every_s(self) -> float:
        """How often the server is asked to report what changed."""
        return self.publishing_s or self.interval_s
