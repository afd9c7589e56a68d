"""The drivers that this gateway has, each loaded when a device first asks for it.

Ours lie beside this module. An installed package adds others by the entry point group
``tidegate.drivers``: the name is the protocol, the object its :class:`~edge_runtime.driver.Driver`.
"""

from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules

import components
from edge_runtime.driver import Driver
from edge_runtime.errors import SettingsError

GROUP = "tidegate.drivers"


def known_protocols() -> tuple[str, ...]:
    """List the protocols. None is imported: the runtime must not load what only the agent needs."""
    return tuple(dict.fromkeys((*_ours(), *_others())))


def find_driver(protocol: str) -> Driver:
    """Give the driver of a protocol.

    Raises:
        SettingsError: there is none, it is no driver, or the library it stands on is missing.

    """
    if protocol not in known_protocols():
        msg = f"no driver for the protocol '{protocol}'; there are: {', '.join(known_protocols())}"
        raise SettingsError(msg, hint="Check the device's 'protocol'.")
    try:
        if protocol in _ours():
            driver = import_module(f"components.{protocol}.driver").driver
        else:
            driver = _others()[protocol].load()
    except ModuleNotFoundError as exc:
        msg = f"the driver for '{protocol}' needs the Python package '{exc.name}'"
        raise SettingsError(msg, hint=f"Install tidegate[{protocol}].") from exc
    if not isinstance(driver, Driver):
        msg = f"the driver for '{protocol}' is a {type(driver).__name__}, not a Driver"
        raise SettingsError(msg, hint="Its package's entry point must name the Driver itself.")
    return driver


def _ours() -> tuple[str, ...]:
    """Name the packages beside this module that have a module ``driver``."""
    return tuple(
        module.name
        for module in iter_modules(components.__path__)
        if module.ispkg and _has_driver(module.name)
    )


def _has_driver(package: str) -> bool:
    folders = [f"{folder}/{package}" for folder in components.__path__]
    return PathFinder.find_spec("driver", folders) is not None


def _others() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
