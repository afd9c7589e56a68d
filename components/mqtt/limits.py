"""Limits of the standard, with the clause beside each, and our own.

MQTT Version 3.1.1 ("3.1.1") and MQTT Version 5.0 ("5.0"), both OASIS Standards.
"""

PORT = 1883
TLS_PORT = 8883
"""As registered; a broker may listen anywhere."""
MAX_TOPIC_BYTES = 65_535
"""3.1.1 4.7.3."""
MAX_TOPIC = 512
"""Characters of a topic in the settings, and of one that is taken from a broker."""
MAX_LEVELS = 32
MAX_PAYLOAD = 65_536
"""Bytes of one message by default; longer ones count as garbage."""
MAX_QUEUED = 256
"""Messages of one topic that wait for a slow reader; the oldest give way."""
MAX_TOPICS = 20_000
"""Topics that one device may publish on and is heard with."""
MAX_CACHED_ROUTES = 20_000
FILTERS_PER_REQUEST = 64
"""Topic filters in one SUBSCRIBE: many brokers bound it or the packet."""
MAX_TEXT = 1_024
"""Characters of a text value."""

REFUSED = 0x80
"""Reason codes from here on are failures (5.0 2.4); the one failure of a SUBACK (3.1.1 3.9.3)."""
NOT_AUTHORIZED = 0x87
NO_MATCHING_SUBSCRIBERS = 0x10
