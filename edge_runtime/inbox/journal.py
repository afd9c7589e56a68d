"""What the runtime did: documents begun and finished, and states that outlive a restart."""

from pathlib import Path

from edge_runtime.clock import Clock
from edge_runtime.inbox import database
from edge_runtime.inbox.database import store_errors

MAX_FINISHED = 10_000
"""Finished documents that are remembered. Older ones have long expired."""


class Journal:
    """The runtime's own notes. Blocks for a flush to disk a call; not for two threads at once."""

    def __init__(self, path: Path, clock: Clock, *, max_finished: int = MAX_FINISHED) -> None:
        """Open the journal, or make one.

        Raises:
            StoreError: the disk is full or failing.

        """
        self._path = path
        self._clock = clock
        self._connection, self.forgot = database.open_sound(path, database.JOURNAL_SCHEMA)
        """``forgot``: the journal was damaged; what was done before is not known any more."""
        with store_errors(path):
            self._connection.execute(database.FORGET_FINISHED, (max_finished,))

    def begin(self, document: str) -> bool:
        """Note durably that a document is about to be executed; False where it was before.

        At most once: after a crash in between it is not executed again.

        Raises:
            StoreError: nothing was noted; do not execute.

        """
        with store_errors(self._path):
            row = (document, self._clock.wall_us())
            return self._connection.execute(database.BEGIN_DOCUMENT, row).rowcount == 1

    def finish(self, document: str, state: str, reason: str = "") -> None:
        """Note how a document ended: ``succeeded``, ``failed`` or ``expired``."""
        with store_errors(self._path):
            self._connection.execute(database.FINISH_DOCUMENT, (state, reason, document))

    def outcome(self, document: str) -> tuple[str, str] | None:
        """Give state and reason; the state is empty while it runs, None where never begun."""
        with store_errors(self._path):
            row = self._connection.execute(database.OUTCOME, (document,)).fetchone()
        return None if row is None else (row[0], row[1])

    def unfinished(self) -> list[str]:
        """List documents that were begun and not finished: a crash came in between."""
        with store_errors(self._path):
            return [row[0] for row in self._connection.execute(database.UNFINISHED)]

    def save_state(self, name: str, content: bytes) -> None:
        """Keep a state, such as that of a rule, as JSON."""
        with store_errors(self._path):
            self._connection.execute(database.SAVE_STATE, (name, content))

    def drop_state(self, name: str) -> None:
        """Forget a state."""
        with store_errors(self._path):
            self._connection.execute(database.DROP_STATE, (name,))

    def load_states(self) -> dict[str, bytes]:
        """Give all states by name."""
        with store_errors(self._path):
            return dict(self._connection.execute(database.LOAD_STATES).fetchall())

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
