"""The agent: enrolment, uplink and downlink. Talks to the runtime by two folders only."""

from components.sync.agent import run

__all__ = ["run"]
