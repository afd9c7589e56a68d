"""gateway.yaml with its profiles, drivers and rules, all checked."""

from dataclasses import dataclass
from pathlib import Path

from components.drivers import find_driver
from edge_runtime.clock import SystemClock
from edge_runtime.declaring import catalogue
from edge_runtime.host.context import Context
from edge_runtime.rules.binding import load_rules
from edge_runtime.rules.step import Rule
from edge_runtime.settings import GatewaySettings, load_settings
from tidegate import __version__


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as its files describe it."""

    settings: GatewaySettings
    rules: tuple[Rule, ...]

    def context(self) -> Context:
        """Give the context of its components on this machine."""
        return Context(self.settings, SystemClock(), __version__)


def load_gateway(file: Path) -> Gateway:
    """Read all files of a gateway.

    Raises:
        SettingsError: what is wrong in them.

    """
    settings = load_settings(file, find_driver)
    rules = load_rules(settings.rules, catalogue(settings)) if settings.rules else ()
    return Gateway(settings, rules)
