"""Walks a server's address space from its folder Objects: breadth first, bounded, nothing changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua

from components.opcua.ids import node_id, standard
from components.opcua.session import Session

MAX_REFERENCES = 1_000
SERVER = standard(ua.ObjectIds.Server)
"""The server's own diagnostics: thousands of nodes that nobody wants as points."""
PROPERTIES = frozenset({"EngineeringUnits", "EURange", "EnumStrings", "EnumValues"})
CLASSES = ua.NodeClass.Object.value | ua.NodeClass.Variable.value
ASKED = (
    ua.AttributeIds.Value,
    ua.AttributeIds.DataType,
    ua.AttributeIds.UserAccessLevel,
    ua.AttributeIds.Description,
)


@dataclass
class Variable:
    """A variable node and what it says of itself."""

    node: ua.NodeId
    path: tuple[str, ...]
    value: ua.DataValue = field(default_factory=ua.DataValue)
    data_type: ua.NodeId | None = None
    access: int = 0
    description: str = ""
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bounds:
    """How far a walk may go."""

    nodes: int = 2_000
    depth: int = 8
    requests: int = 1_000


class Walk:
    """One walk, a level a step."""

    def __init__(self, session: Session, bounds: Bounds) -> None:
        self._session = session
        self._bounds = bounds
        self._seen = {SERVER}
        self._level: list[tuple[ua.NodeId, tuple[str, ...]]] = [
            (standard(ua.ObjectIds.ObjectsFolder), ())
        ]
        self._properties: list[tuple[Variable, str, ua.NodeId]] = []
        self._depth = 0
        self.variables: dict[ua.NodeId, Variable] = {}
        self.requests = 0
        self.cut = ""
        """Why it ended early; empty where it saw everything."""

    async def step(self) -> bool:
        """Look one level deeper; False at the end."""
        if not self._level:
            return False
        if self._depth >= self._bounds.depth:
            self.cut = f"what lies more than {self._bounds.depth} levels deep was left out"
            return False
        self._depth += 1
        level, self._level = self._level, []
        size = self._session.per_browse
        for start in range(0, len(level), size):
            part = level[start : start + size]
            for (node, path), found in zip(part, await self._browse(part), strict=True):
                for reference in found:
                    self._take(node, path, reference)
            if self.cut:
                self._level = []
        return bool(self._level)

    async def look(self) -> None:
        """Read values and properties of what was found."""
        found = list(self.variables.values())
        asked = [(variable.node, what) for variable in found for what in ASKED]
        values = await self._read(asked)
        for place, variable in enumerate(found):
            _describe(variable, values[place * len(ASKED) : (place + 1) * len(ASKED)])
        kept = [entry for entry in self._properties if entry[0].node in self.variables]
        told = await self._read([(node, ua.AttributeIds.Value) for _, _, node in kept])
        for (variable, name, _), data in zip(kept, told, strict=True):
            variable.properties[name] = _held(data)
        await self._look_at_types(found)

    async def _look_at_types(self, found: Sequence[Variable]) -> None:
        """Enumerations may be named by their type."""
        types = {v.data_type for v in found if v.data_type and v.data_type.NamespaceIndex}
        listed = [(node, ()) for node in types][: self._session.per_browse]
        places: list[tuple[ua.NodeId, str, ua.NodeId]] = []
        for (node, _), references in zip(listed, await self._browse(listed), strict=True):
            places += [(node, *entry) for entry in _properties(references)]
        told = await self._read([(place, ua.AttributeIds.Value) for _, _, place in places])
        names = {(node, name): data for (node, name, _), data in zip(places, told, strict=True)}
        for variable in found:
            for name in ("EnumStrings", "EnumValues"):
                data = names.get((variable.data_type or variable.node, name))
                if data is not None:
                    variable.properties.setdefault(name, _held(data))

    async def _read(self, asked: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[ua.DataValue]:
        self.requests += -(-len(asked) // self._session.per_read)
        return await self._session.read(asked)

    async def _browse(
        self, nodes: Sequence[tuple[ua.NodeId, tuple[str, ...]]]
    ) -> list[list[ua.ReferenceDescription]]:
        if not nodes:
            return []
        self.requests += 1
        parameters = ua.BrowseParameters(
            RequestedMaxReferencesPerNode=MAX_REFERENCES,
            NodesToBrowse=[_question(node) for node, _ in nodes],
        )
        found = []
        for result in await self._session.services.browse(parameters):
            references = list(result.References or ())
            references += await self._rest(result.ContinuationPoint)
            found.append(references)
        return found

    async def _rest(self, point: bytes | None) -> list[ua.ReferenceDescription]:
        references: list[ua.ReferenceDescription] = []
        while point:
            self.requests += 1
            over = self.requests >= self._bounds.requests or len(references) > self._bounds.nodes
            [result] = await self._session.services.browse_next(
                ua.BrowseNextParameters(ReleaseContinuationPoints=over, ContinuationPoints=[point])
            )
            if over:
                self.cut = f"it has more than {self._bounds.nodes} nodes; the rest was left out"
                return references
            references += result.References or ()
            point = result.ContinuationPoint
        return references

    def _take(
        self, parent: ua.NodeId, path: tuple[str, ...], reference: ua.ReferenceDescription
    ) -> None:
        node = node_id(reference.NodeId.Identifier, reference.NodeId.NamespaceIndex)
        name = str(reference.BrowseName.Name or "")[:100]
        if reference.ReferenceTypeId == standard(ua.ObjectIds.HasProperty):
            if parent in self.variables and name in PROPERTIES:
                self._properties.append((self.variables[parent], name, node))
            return
        if node in self._seen or self.cut:
            return
        self._seen.add(node)
        if len(self._seen) > self._bounds.nodes or self.requests > self._bounds.requests:
            self.cut = f"it has more than {self._bounds.nodes} nodes; the rest was left out"
            return
        if reference.NodeClass == ua.NodeClass.Variable:
            self.variables[node] = Variable(node, (*path, name))
        self._level.append((node, (*path, name)))


def _question(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=standard(ua.ObjectIds.HierarchicalReferences),
        IncludeSubtypes=True,
        NodeClassMask=CLASSES,
        ResultMask=ua.BrowseResultMask.All.value,
    )


def _properties(
    references: Sequence[ua.ReferenceDescription],
) -> Iterator[tuple[str, ua.NodeId]]:
    for reference in references:
        name = str(reference.BrowseName.Name or "")
        if name in PROPERTIES:
            yield name, node_id(reference.NodeId.Identifier, reference.NodeId.NamespaceIndex)


def _describe(variable: Variable, told: Sequence[ua.DataValue]) -> None:
    value, data_type, access, description = told
    variable.value = value
    kind, bits, text = _held(data_type), _held(access), _held(description)
    variable.data_type = kind if isinstance(kind, ua.NodeId) else None
    variable.access = bits if isinstance(bits, int) else 0
    if isinstance(text, ua.LocalizedText):
        variable.description = str(text.Text or "")[:200]


def _held(data: ua.DataValue) -> Any:
    return data.Value.Value if data.Value is not None else None
