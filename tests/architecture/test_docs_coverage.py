"""What a person can set, meet or call stands in the documents."""

import json
import re
from enum import Enum
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from cloud_api.settings import CloudSettings
from cloud_sync.wire.problems import Problem
from cloud_sync.wire.quality import Reason
from components.bacnet import settings as bacnet
from components.coap import settings as coap
from components.http import settings as http
from components.modbus import line_settings as line
from components.modbus import settings as modbus
from components.mqtt import broker_settings as mqtt_broker
from components.mqtt import settings as mqtt
from components.opcua import settings as opcua
from components.sparkplug import settings as sparkplug
from components.sunspec import settings as sunspec
from edge_runtime import settings as edge
from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point, PointKind
from edge_runtime.outbox.gaps import GapReason
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.profiles.loader import Identification, ProfileHead
from edge_runtime.recording.faults import Fault, FaultKind
from edge_runtime.rules import settings as rules
from tidegate.edge.handover.checks import Verdict
from tidegate.edge.handover.expectations import ExpectationList, PointExpectation

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

SETTINGS: list[tuple[str, type[BaseModel]]] = [
    ("gateway-yaml.md", edge.GatewaySection),
    ("gateway-yaml.md", edge.CloudSettings),
    ("gateway-yaml.md", OutboxSettings),
    ("gateway-yaml.md", DeviceSettings),
    ("gateway-yaml.md", Point),
    ("profiles.md", ProfileHead),
    ("profiles.md", Identification),
    ("commissioning.md", ExpectationList),
    ("commissioning.md", PointExpectation),
    ("protocols/bacnet.md", bacnet.Settings),
    ("protocols/bacnet.md", bacnet.Foreign),
    ("protocols/bacnet.md", bacnet.Point),
    ("protocols/coap.md", coap.Settings),
    ("protocols/coap.md", coap.Point),
    ("protocols/http.md", http.Settings),
    ("protocols/http.md", http.Point),
    ("protocols/http.md", http.Write),
    ("protocols/mqtt.md", mqtt.Settings),
    ("protocols/mqtt.md", mqtt.Point),
    ("protocols/mqtt.md", mqtt.Command),
    ("protocols/mqtt.md", mqtt.Availability),
    ("protocols/mqtt.md", mqtt_broker.TlsSettings),
    ("protocols/sparkplug.md", sparkplug.Settings),
    ("protocols/sparkplug.md", sparkplug.Point),
    ("protocols/modbus.md", modbus.Settings),
    ("protocols/modbus.md", modbus.Point),
    ("protocols/modbus.md", modbus.AddressRange),
    ("protocols/modbus.md", line.Serial),
    ("protocols/modbus.md", line.Rs485),
    ("protocols/sunspec.md", sunspec.Settings),
    ("protocols/sunspec.md", sunspec.Point),
    ("recording.md", Fault),
    ("protocols/opcua.md", opcua.Settings),
    ("protocols/opcua.md", opcua.Point),
    ("protocols/opcua.md", opcua.Method),
    ("rules.md", rules.RuleSettings),
    ("rules.md", rules.AlertAction),
    ("rules.md", rules.Comparison),
    ("rules.md", rules.AllOf),
    ("rules.md", rules.AnyOf),
    ("rules.md", rules.Not),
    ("cloud.md", CloudSettings),
]
WORDS: list[tuple[str, type[Enum]]] = [
    ("operations.md", Reason),
    ("operations.md", GapReason),
    ("operations.md", Problem),
    ("gateway-yaml.md", PointKind),
    ("commissioning.md", Verdict),
    ("protocols/coap.md", coap.Format),
    ("protocols/coap.md", coap.Method),
    ("recording.md", FaultKind),
    ("protocols/http.md", http.Method),
    ("protocols/http.md", http.TimeUnit),
    ("protocols/mqtt.md", mqtt.Format),
    ("protocols/modbus.md", modbus.Table),
    ("protocols/modbus.md", modbus.RegisterType),
    ("protocols/modbus.md", modbus.WordOrder),
    ("protocols/modbus.md", line.Framing),
    ("protocols/modbus.md", line.Parity),
    ("protocols/opcua.md", opcua.SecurityPolicy),
    ("protocols/opcua.md", opcua.SecurityMode),
    ("protocols/opcua.md", opcua.DataType),
]


@cache
def code_in(name: str) -> str:
    """Everything in backticks and in samples of a document."""
    text = (DOCS / name).read_text()
    return "\n".join(re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)) + "\n".join(
        re.findall(r"`([^`\n]+)`", text)
    )


def missing(names: set[str], document: str) -> set[str]:
    code = code_in(document)
    return {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", code)}


def inherited(model: type[BaseModel]) -> set[str]:
    bases = [base for base in model.__mro__[1:] if issubclass(base, BaseModel)]
    shared = (DeviceSettings, Point)
    return {name for base in bases if base in shared for name in base.model_fields}


@pytest.mark.parametrize(("document", "model"), SETTINGS, ids=lambda x: getattr(x, "__name__", x))
def test_every_setting_is_explained(document, model):
    fields = {
        field.alias or name
        for name, field in model.model_fields.items()
        if name not in inherited(model)
    }
    assert not missing(fields, document)


@pytest.mark.parametrize(("document", "words"), WORDS, ids=lambda x: getattr(x, "__name__", x))
def test_every_word_of_status_is_explained(document, words):
    assert not missing({word.value for word in words if word.value}, document)


def test_every_driver_has_its_page():
    drivers = [p.parent.name for p in (ROOT / "components").glob("*/driver.py")]
    assert drivers
    assert not [name for name in drivers if not (DOCS / "protocols" / f"{name}.md").exists()]


def test_every_component_stands_in_the_architecture():
    folders = [p.parent.name for p in (ROOT / "components").glob("*/__init__.py")]
    text = (DOCS / "architecture.md").read_text()
    assert not [name for name in folders if f"components/{name}" not in text]


def test_every_built_in_profile_is_named():
    profiles = {p.stem for p in (ROOT / "edge_runtime" / "profiles").glob("*.yaml")}
    assert not missing(profiles, "profiles.md")


def test_every_operation_of_the_api_is_listed():
    paths = json.loads((DOCS / "openapi.json").read_text())["paths"]
    listed = re.sub(r"\{\w+\}", "{}", (DOCS / "api.md").read_text())
    operations = {
        f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}"
        for path, methods in paths.items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert not [name for name in operations if not re.search(re.escape(name) + r"[`?]", listed)]
