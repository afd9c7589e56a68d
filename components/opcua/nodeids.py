"""Node ids as people write them: ``ns=2;s=Level``, ``i=2258``, ``nsu=urn:acme:plc;s=Level``; pure.

The text form is that of OPC UA Part 6, 5.3.1.10 and 5.1.12. A number of a namespace may change when
a server restarts with other companions; its URI does not, so ``nsu=`` is the form to prefer.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from components.opcua.limits import MAX_NODE_TEXT

MAX_NUMBER = 2**32 - 1
MAX_NAMESPACE = 2**16 - 1
Identifier = int | str | UUID | bytes
_FORM = re.compile(
    r"(?:ns=(?P<index>\d{1,5});|nsu=(?P<uri>[^;]+);)?(?P<kind>[isgb])=(?P<rest>.+)", re.DOTALL
)


class NodeRef(NamedTuple):
    """A node by the number or the URI of its namespace."""

    namespace: int | str
    identifier: Identifier


def parse(text: str) -> NodeRef:
    """Take a node id apart.

    Raises:
        ValueError: it is none; says how one looks.

    """
    found = _FORM.fullmatch(text) if len(text) <= MAX_NODE_TEXT else None
    if found is None:
        msg = f"'{text[:80]}' is no node id; one looks like ns=2;s=Level, i=2258 or nsu=urn:x;i=7"
        raise ValueError(msg)
    namespace = found["uri"] or int(found["index"] or 0)
    if isinstance(namespace, int) and namespace > MAX_NAMESPACE:
        msg = f"namespace {namespace} is above {MAX_NAMESPACE}"
        raise ValueError(msg)
    return NodeRef(namespace, _identifier(found["kind"], found["rest"]))


def resolve(ref: NodeRef, namespaces: Sequence[str]) -> int:
    """Give the number that the namespace has in a server's present session.

    Raises:
        LookupError: the server has no such namespace.

    """
    if isinstance(ref.namespace, int):
        return ref.namespace
    try:
        return namespaces.index(ref.namespace)
    except ValueError:
        msg = f"the server has no namespace '{ref.namespace}'"
        raise LookupError(msg) from None


def _identifier(kind: str, rest: str) -> Identifier:
    try:
        match kind:
            case "i":
                number = int(rest) if rest.isascii() and rest.isdecimal() else -1
                if not 0 <= number <= MAX_NUMBER:
                    raise ValueError(rest)
                return number
            case "g":
                return UUID(rest)
            case "b":
                return base64.b64decode(rest, validate=True)
            case _:
                return rest
    except (ValueError, binascii.Error):
        words = {"i": f"a number up to {MAX_NUMBER}", "g": "a GUID", "b": "base64"}[kind]
        msg = f"what follows '{kind}=' must be {words}; found '{rest[:80]}'"
        raise ValueError(msg) from None
