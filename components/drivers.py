"""The drivers that this gateway has, each loaded when a device first asks for it."""

from importlib import import_module
from importlib.machinery import PathFinder
from pkgutil import iter_modules

import components
from edge_runtime.driver import Driver
from edge_runtime.errors import SettingsError


def known_protocols() -> tuple[str, ...]:
    """List the protocols: packages beside this module that have a module ``driver``.

    None is imported: the runtime must not load what only the agent needs.
    """
    return tuple(
        module.name
        for module in iter_modules(components.__path__)
        if module.ispkg and _has_driver(module.name)
    )


def _has_driver(package: str) -> bool:
    folders = [f"{folder}/{package}" for folder in components.__path__]
    return PathFinder.find_spec("driver", folders) is not None


def find_driver(protocol: str) -> Driver:
    """Give the driver of a protocol.

    Raises:
        SettingsError: there is none, or the library it stands on is not installed.

    """
    known = known_protocols()
    if protocol not in known:
        msg = f"no driver for the protocol '{protocol}'; there are: {', '.join(known)}"
        raise SettingsError(msg, hint="Check the device's 'protocol'.")
    try:
        module = import_module(f"components.{protocol}.driver")
    except ModuleNotFoundError as exc:
        msg = f"the driver for '{protocol}' needs the Python package '{exc.name}'"
        raise SettingsError(msg, hint=f"Install tidegate[{protocol}].") from exc
    driver: Driver = module.driver
    return driver
