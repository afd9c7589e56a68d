"""Limits of the standards with the clause beside each, and our own.

RFC 7252 (CoAP), RFC 7641 (observe), RFC 7959 (block-wise), RFC 6690 (link format).
"""

PORT = 5683
"""RFC 7252 6.1."""
MAX_AGE_S = 60
"""Of an answer that names none (RFC 7252 5.10.5)."""
ORDER_SPAN = 1 << 23
ORDER_RESET_S = 128.0
"""A notification is newer when its number is up to 2**23 ahead, or the last is older than 128 s
(RFC 7641 3.4)."""
MAX_SEGMENT_BYTES = 255
"""Of a path or query option (RFC 7252 5.10)."""
ALL_COAP_NODES = "224.0.1.187"
"""IPv4 multicast (RFC 7252 12.8)."""
LEISURE_S = 5.0
"""Within which who is asked by multicast answers at random (RFC 7252 8.2)."""
WELL_KNOWN = "/.well-known/core"
"""RFC 6690 4."""

TEXT, LINKS, OCTETS, JSON, CBOR = 0, 40, 42, 50, 60
"""Content formats (RFC 7252 12.3, RFC 7049 7.4)."""

RETRANSMISSIONS = 2
"""A confirmable message is sent again after 1 and 3 parts in 10 of the time-out, and given up after
7 or, spread, 8: aiocoap cannot take a message back, the next one to this device waits behind it, and
is lost along with it."""
ACK_PARTS = 10.0
ACK_SPREAD = 1.14

GRACE_S = 5.0
"""An observed resource is asked again this long after its Max-Age ended in silence."""
MAX_ANSWER_BYTES = 65_536
"""Of all blocks together."""
MAX_WRITE_BYTES = 1_024
"""One block: what is written is one value."""
MAX_RESOURCES = 200
MAX_WAITING = 64
"""Notifications of one resource, and readings of one point, that wait to be taken."""
MAX_DATAGRAMS_S = 200.0
"""That one listening port takes; others are dropped unread. aiocoap remembers each for 247 s, which
is 70 MB at this rate."""
MOST_AGE_S = (1 << 32) - 1
"""Largest Max-Age (RFC 7252 5.10.5)."""
MOST_FORMAT = (1 << 16) - 1
"""Largest content format (RFC 7252 12.3)."""
MAX_NAMED = 5
"""Records that a diagnostic payload names."""
