"""The machine's address space: which node shows what, with unit, range and texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import Server, ua
from asyncua.common.node import Node

from components.opcua.ids import node_id, standard
from simulators.opcua.machine import MAX_OVERRIDE, MachiningCentre, State

NAMESPACE = "urn:tidegate:simulators:machining-centre"
UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"
T = ua.VariantType
Get = Callable[[MachiningCentre], Any]


@dataclass(frozen=True)
class Shown:
    """A variable of the machine."""

    path: str
    type: ua.VariantType
    get: Get
    unit: tuple[str, str] | None = None
    """Common code of UNECE Recommendation 20, and how it is written."""
    range: tuple[float, float] | None = None
    texts: tuple[str, ...] = ()
    type_name: str = ""
    """Its texts belong to a data type of this name, as new servers have it; else to the variable."""
    write: str = ""
    """Field of the machine that it sets."""
    description: str = ""


SHOWN: Sequence[Shown] = (
    Shown("Machine.State", T.Int32, lambda m: int(m.state),
          texts=tuple(s.name.replace("_", " ").lower() for s in State)),
    Shown("Machine.Program", T.String, lambda m: m.program),
    Shown("Machine.Parts", T.UInt32, lambda m: m.parts, description="Parts made since it was built"),
    Shown("Machine.Tool", T.UInt16, lambda m: m.tool),
    Shown("Machine.FeedOverride", T.Float, lambda m: m.feed_override, ("P1", "%"),
          (0.0, MAX_OVERRIDE), write="feed_override"),
    Shown("Machine.Light", T.Boolean, lambda m: m.light, write="light"),
    Shown("Spindle.Speed", T.Double, lambda m: m.speed.value, ("RPM", "r/min"), (0.0, 15_000.0)),
    Shown("Spindle.Load", T.Double, lambda m: m.load.value, ("P1", "%"), (0.0, 150.0)),
    Shown("Spindle.Temperature", T.Double, lambda m: m.heat.value, ("CEL", "°C"), (0.0, 120.0)),
    Shown("Coolant.Mode", T.Int32, lambda m: int(m.coolant_flow > 0), texts=("off", "flood"),
          type_name="CoolantMode"),
    Shown("Coolant.Level", T.Double, lambda m: m.coolant_l, ("LTR", "l"), (0.0, 200.0)),
    Shown("Coolant.Flow", T.Double, lambda m: m.coolant_flow, ("L2", "l/min"), (0.0, 40.0)),
    Shown("Energy.Power", T.Double, lambda m: m.power_kw, ("KWT", "kW"), (0.0, 40.0)),
    Shown("Energy.Total", T.Double, lambda m: m.energy_kwh, ("KWH", "kWh")),
    Shown("Axes.Following", T.Double, lambda m: [m.load.value / 1e4, m.load.value / 2e4, 0.0],
          ("MMT", "mm"), description="Following error of X, Y and Z"),
)  # fmt: skip


async def build(server: Server, machine: MachiningCentre) -> Mapping[str, Node]:
    """Make the nodes; gives the variables by path."""
    space = await server.register_namespace(NAMESPACE)
    objects: dict[str, Node] = {}
    variables: dict[str, Node] = {}
    for shown in SHOWN:
        folder, _, name = shown.path.partition(".")
        if folder not in objects:
            objects[folder] = await server.nodes.objects.add_object(
                node_id(folder, space), ua.QualifiedName(folder, space)
            )
        node = await _variable(objects[folder], space, name, shown, machine)
        if shown.type_name:
            await _name_type(server, space, node, shown)
        variables[shown.path] = node
    await _methods(objects["Machine"], space, machine)
    return variables


async def _variable(
    folder: Node, space: int, name: str, shown: Shown, machine: MachiningCentre
) -> Node:
    node = await folder.add_variable(
        node_id(shown.path, space),
        ua.QualifiedName(name, space),
        ua.Variant(shown.get(machine), shown.type),
    )
    if shown.write:
        await node.set_writable()
    if shown.description:
        text = ua.DataValue(ua.Variant(ua.LocalizedText(shown.description)))
        await node.write_attribute(ua.AttributeIds.Description, text)
    if shown.unit is not None:
        code, display = shown.unit
        unit = ua.EUInformation(
            NamespaceUri=UNECE,
            UnitId=int.from_bytes(code.encode("ascii"), "big"),
            DisplayName=ua.LocalizedText(display),
        )
        await _property(node, "EngineeringUnits", unit)
    if shown.range is not None:
        await _property(node, "EURange", ua.Range(*shown.range))
    if shown.texts and not shown.type_name:
        await _property(node, "EnumStrings", [ua.LocalizedText(text) for text in shown.texts])
    return node


async def _name_type(server: Server, space: int, node: Node, shown: Shown) -> None:
    """Give a variable an enumeration of its own as its data type."""
    base = server.get_node(standard(ua.ObjectIds.Enumeration))
    kind = await base.add_data_type(
        node_id(shown.type_name, space), ua.QualifiedName(shown.type_name, space)
    )
    await _property(kind, "EnumStrings", [ua.LocalizedText(text) for text in shown.texts])
    name = ua.DataValue(ua.Variant(kind.nodeid, T.NodeId))
    await node.write_attribute(ua.AttributeIds.DataType, name)


async def _property(node: Node, name: str, value: Any) -> None:
    await node.add_property(
        node_id(f"{node.nodeid.Identifier!s}.{name}", node.nodeid.NamespaceIndex),
        ua.QualifiedName(name, 0),
        value,
    )


async def _methods(folder: Node, space: int, machine: MachiningCentre) -> None:
    def start(_: ua.NodeId, program: ua.Variant, parts: ua.Variant) -> Any:
        if not machine.start(str(program.Value), int(parts.Value)):
            return status(ua.StatusCodes.BadInvalidState)
        return [ua.Variant(machine.parts, T.UInt32)]

    def stop(_: ua.NodeId) -> Any:
        machine.stop()
        return []

    await folder.add_method(
        node_id("Machine.Start", space),
        ua.QualifiedName("Start", space),
        start,
        [_argument("Program", T.String), _argument("Parts", T.UInt32)],
        [_argument("FirstPart", T.UInt32)],
    )
    await folder.add_method(
        node_id("Machine.Stop", space), ua.QualifiedName("Stop", space), stop, [], []
    )


def status(code: Any) -> ua.StatusCode:
    """Make a status code."""
    return ua.StatusCode(code)


def _argument(name: str, kind: ua.VariantType) -> ua.Argument:
    return ua.Argument(Name=name, DataType=standard(kind.value), ValueRank=-1)
