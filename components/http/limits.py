"""Limits on what comes from outside over HTTP."""

MAX_ANSWER_BYTES = 1 << 18
"""Of one answer of a polled device, unless its settings say otherwise."""
MOST_ANSWER_BYTES = 1 << 24
MAX_POST_BYTES = 1 << 16
"""Of one body that a device posts."""
MAX_DEPTH = 32
MAX_RECORDS = 1_000
"""Of one SenML pack."""
MAX_REDIRECTS = 3
MAX_PAUSE_S = 3_600.0
"""Longest time for which a device may ask to be left alone (Retry-After)."""
MAX_HEADERS = 32
MAX_SECRET_BYTES = 4_096
MIN_TOKEN = 16
"""Characters of a token by which a device posts: shorter ones can be guessed."""
MAX_WAITING = 10_000
"""Readings of a device that wait for the runtime; more are answered with 503 and not taken."""
MAX_CONNECTIONS = 64
"""At one address that devices post to."""
HEAD_S = 5.0
"""Longest time for the head of a request, or between two requests of a connection."""
BODY_S = 10.0
"""Longest time for a body."""
MAX_HEAD_BYTES = 16_384
DEFAULT_POSTS_PER_S = 10.0
"""Of one device; more are answered with 429."""
MAX_LEAVES = 200
"""Points that a probe proposes."""
