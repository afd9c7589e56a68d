"""Numbers of the OPC UA specification, and what we ask for and allow."""

PORT = 4840
"""Registered for opc.tcp (Part 6, 7.2)."""
MAX_NODE_TEXT = 1_000
MAX_METHODS = 100
MAX_TEXT = 1_000
"""Characters of a text value that are kept."""
MAX_ARGUMENTS = 50
NODES_PER_CALL = 1_000
"""Nodes in one request, where the server says no less (OperationLimits: Part 5, 6.3.11)."""
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_CHUNKS = 512
MAX_NAMESPACES = 1_000
CONNECT_TIMEOUTS = 2
"""Time-outs that connecting may take: up to nine exchanges, two of them with slow arithmetic."""
LIFETIME_S = 60.0
"""A server forgets the subscriptions of a gateway that is gone for this long (Part 4, 5.14.1.2)."""
KEEPALIVES_PER_PROMISE = 3
RETRY_REFUSED_S = 60.0
"""A node that the server refused is asked for again after this long."""
MAX_QUEUE = 1_000
KEPT_VALUES = 8
"""Values of a point that wait for a runtime that is slow, where its own queue is shorter."""
MENDS = 2
"""Times in a row that a silent subscription is made anew before the session is given up."""
CLOSE_S = 1.0

CURRENT_WRITE = 0b10
"""Bit of AccessLevel and UserAccessLevel (Part 3, 8.57)."""
