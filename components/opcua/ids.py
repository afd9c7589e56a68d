"""Makes asyncua's node ids out of plain values, for which its annotations have classes of their own."""

from typing import Any

from asyncua import ua


def node_id(identifier: Any, namespace: Any = 0) -> ua.NodeId:
    """Make a node id; the kind follows from the identifier: int, str, UUID or bytes."""
    return ua.NodeId(identifier, namespace)


def standard(number: int) -> ua.NodeId:
    """Give a node of the specification's own namespace (``ua.ObjectIds``)."""
    return node_id(number)
