"""The protocol version and the limits that both ends hold each other to."""

PROTOCOL = 1

MAX_BATCH_SAMPLES = 20_000
MAX_BATCH_EVENTS = 1_000
MAX_PAYLOAD_BYTES = 1 << 20
"""Largest compressed payload of one batch."""
MAX_UNPACKED_BYTES = 16 << 20
"""Largest payload after decompression; a batch that unpacks to more is refused unread."""
MAX_UPLOAD_BATCHES = 64
MAX_UPLOAD_BYTES = 8 << 20
MAX_DOCUMENT_BYTES = 1 << 20
"""Largest downlink document."""
MAX_NAME_CHARS = 200
"""Longest point key, ``device/point``."""
