"""What a component is given. A component is ``async def run(context)`` and runs until cancelled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.clock import Clock
from edge_runtime.settings import GatewaySettings
from edge_runtime.status import INTERVAL_S


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a gateway keeps what it knows; all below ``state_dir``."""

    state: Path

    @property
    def outbox(self) -> Path:
        """Written by the runtime, read by the agent."""
        return self.state / "outbox"

    @property
    def inbox(self) -> Path:
        """Written by the agent, read by the runtime."""
        return self.state / "inbox"

    @property
    def journal(self) -> Path:
        """The runtime's own: commands begun and finished, states of rules."""
        return self.state / "journal.db"

    @property
    def identity(self) -> Path:
        """The agent's own: key and certificates."""
        return self.state / "identity"

    @property
    def run(self) -> Path:
        """Status files of all processes, and the socket between runtime and adapters."""
        return self.state / "run"

    @property
    def adapters(self) -> Path:
        """A folder an adapter, each written by that adapter only."""
        return self.state / "adapters"

    def adapter(self, name: str) -> "AdapterFolders":
        """Give the folders of one adapter."""
        return AdapterFolders(self.adapters / name)


@dataclass(frozen=True, slots=True)
class AdapterFolders:
    """What one adapter keeps; all below ``adapters/<name>``."""

    own: Path

    @property
    def outbox(self) -> Path:
        """What the runtime has not taken yet."""
        return self.own / "outbox"

    @property
    def journal(self) -> Path:
        """Which devices are silent."""
        return self.own / "journal.db"

    @property
    def acknowledged(self) -> Path:
        """What the runtime took."""
        return self.own / "acknowledged.json"


@dataclass(frozen=True, slots=True)
class Context:
    """What every component has, in whichever process."""

    settings: GatewaySettings
    clock: Clock
    version: str
    status_s: float = INTERVAL_S
    """Time by ``clock`` between two status files."""

    @property
    def folders(self) -> Folders:
        """The gateway's folders."""
        return Folders(self.settings.state_dir)


Component = Callable[[Context], Awaitable[None]]
"""A component of the agent's process."""
