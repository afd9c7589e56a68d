"""What the agent knows of itself, for people: written to ``run/agent.json`` by components/sync."""

import msgspec


class SyncStatus(msgspec.Struct):
    """Counters since the agent started, and the present state. Times in µs since 1970 UTC."""

    state: str = "starting"
    """``starting``, ``enrolling``, ``connected`` or ``offline``."""
    connected: bool = False
    """The last upload was answered by the cloud."""
    downlink: bool = False
    """The channel for documents is open."""
    offline_since_us: int | None = None
    last_ack_us: int | None = None
    """When the cloud last acknowledged a batch or a heartbeat."""
    gateway: str = ""
    tenant: str = ""
    url: str = ""
    uploads: int = 0
    uploaded_batches: int = 0
    uploaded_bytes: int = 0
    duplicates: int = 0
    documents: int = 0
    errors: int = 0
    last_error: str = ""
    hint: str = ""
    backlog_batches: int = 0
    backlog_samples: int = 0
    oldest_us: int | None = None
    refused: int = 0
    """Batches that the cloud refused as damaged or invalid; they stay in the outbox."""
    clone: bool = False
    """The cloud saw other batches under our numbers: this outbox was copied. Nothing is sent."""
    request_bytes: int = 0
    """What one request may carry now; follows the speed of the line."""
