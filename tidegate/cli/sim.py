"""``tidegate sim``: simulated devices that answer on the real protocols."""

from collections.abc import Coroutine
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

if TYPE_CHECKING:
    from simulators.opcua.server import Simulator

app = typer.Typer(
    help="Run simulated devices to try a gateway on.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _serve(work: Coroutine[Any, Any, None], trouble: str) -> None:
    """Serve until Ctrl-C; ``trouble`` says what a port that is taken prevents."""
    from edge_runtime.host.process import run_until_stopped  # noqa: PLC0415 - help must be quick

    try:
        asked = run_async(run_until_stopped(work))
    except OSError as exc:
        leave(ExitCode.CONFLICT, f"{trouble}: {exc.strerror or exc}")
    if asked == SIGINT:
        leave(ExitCode.INTERRUPTED)


@app.callback()
def group() -> None:
    """Run simulated devices to try a gateway on."""


@app.command()
def modbus(  # noqa: PLR0917 - typer makes them options
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    first_port: Annotated[
        int, typer.Option(help="The first of three ports; 0 for free ones.", min=0, max=65_533)
    ] = 5020,
    serial: Annotated[str, typer.Option(help="Serve on this serial port, as units 1 to 4.")] = "",
    baudrate: Annotated[int, typer.Option(help="Of the serial port.", min=300)] = 19_200,
    rtu_over_tcp: Annotated[
        bool, typer.Option("--rtu-over-tcp", help="Serve units 1 to 4 as converters do.")
    ] = False,
    spoil: Annotated[
        float, typer.Option(help="Share of RTU answers that arrive spoiled.", min=0, max=1)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same plant.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve a small plant over Modbus until Ctrl-C."""
    from simulators.modbus.running import Place, run_modbus  # noqa: PLC0415 - help must be quick

    place = Place(host, first_port, serial, baudrate, rtu_over_tcp, spoil)
    ready = _tell_json if as_json else _tell
    _serve(run_modbus(place, seed=seed, ready=ready), f"cannot listen on {serial or host}")


@app.command()
def sunspec(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65_535)] = 5030,
    seed: Annotated[int, typer.Option(help="The same seed gives the same devices.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve an inverter and a meter with SunSpec models until Ctrl-C."""
    from simulators.sunspec.site import run_sunspec  # noqa: PLC0415 - help must be quick

    ready = _tell_json if as_json else _tell
    _serve(run_sunspec(host, port, seed=seed, ready=ready), f"cannot listen on {host}")


def _tell_json(devices: list[dict[str, Any]]) -> None:
    print_json({"devices": devices})


def _tell(devices: list[dict[str, Any]]) -> None:
    for device in devices:
        place = device.get("serial", {}).get("port") or "{host}:{port}".format(**device)
        say("{name:20} {place} unit {unit}  profile {profile}".format(place=place, **device))


@app.command()
def bacnet(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    first_port: Annotated[
        int, typer.Option(help="The first of three ports; 0 for free ones.", min=0, max=65_533)
    ] = 47_810,
    seed: Annotated[int, typer.Option(help="The same seed gives the same plant.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve an air handling unit and two room controllers over BACnet/IP until Ctrl-C."""
    from simulators.bacnet.plant import Served, run_plant  # noqa: PLC0415 - help must be quick

    def ready(devices: dict[str, Served]) -> None:
        found = [
            {
                "name": name,
                "profile": served.device.profile,
                "host": f"{host}:{served.port}",
                "device_instance": served.device.instance,
            }
            for name, served in devices.items()
        ]
        if as_json:
            print_json({"devices": found})
            return
        for device in found:
            say("{name:20} {host} device {device_instance}  profile {profile}".format(**device))

    _serve(run_plant(host, first_port, seed=seed, ready=ready), f"cannot listen on {host}")


@app.command()
def coap(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 5683,
    seed: Annotated[int, typer.Option(help="The same seed gives the same tank.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve a rain-water tank over CoAP until Ctrl-C."""
    from simulators.coap.plant import PROFILE, run_tank  # noqa: PLC0415 - help must be quick

    def ready(taken: int) -> None:
        found = {"name": "rain-tank", "profile": PROFILE, "host": host, "port": taken}
        if as_json:
            print_json({"devices": [found]})
        else:
            say("{name:20} {host}:{port}  profile {profile}".format(**found))

    _serve(run_tank(host, port, seed=seed, ready=ready), f"cannot listen on {host}")


@app.command()
def http(  # noqa: PLR0917 - options of a command
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 8090,
    post_to: Annotated[
        str, typer.Option(help="host:port of a gateway that the room sensor posts to.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="Holds the token by which the sensor posts.")
    ] = None,
    device: Annotated[str, typer.Option(help="The sensor's name at the gateway.")] = "room-sensor",
    seed: Annotated[int, typer.Option(help="The same seed gives the same devices.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve a heat pump's JSON, and post as a sensor."""
    from simulators.http.running import run_devices  # noqa: PLC0415 - help must be quick
    from simulators.http.sensor import Posting  # noqa: PLC0415

    posting = None
    if post_to:
        to_host, _, to_port = post_to.rpartition(":")
        if not to_host or not to_port.isdigit() or token_file is None:
            leave(ExitCode.USAGE, "--post-to is host:port, and needs --token-file")
        posting = Posting(to_host, int(to_port), device, token_file.read_text().strip())

    def ready(taken: int) -> None:
        found = {"name": "heat-pump", "profile": "demo-heat-pump", "url": f"http://{host}:{taken}"}
        if as_json:
            print_json({"devices": [found]})
        else:
            say("{name:20} {url}  profile {profile}".format(**found))

    work = run_devices(host, port, seed=seed, posting=posting, ready=ready)
    _serve(work, f"cannot listen on {host}")


@app.command()
def mqtt(
    host: Annotated[str, typer.Option(help="Address of the broker.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 1884,
    broker: Annotated[
        str, typer.Option(help="mosquitto, small, or theirs for one that listens already.")
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same plant.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Run a broker with three devices and a Sparkplug edge node until Ctrl-C."""
    from simulators.mqtt.plant import PLANT, Running, run_plant  # noqa: PLC0415 - help must be quick

    if broker not in {"", "mosquitto", "small", "theirs"}:
        leave(ExitCode.USAGE, "--broker is mosquitto, small or theirs")

    def ready(running: Running) -> None:
        found = [
            {"name": device.name, "protocol": device.protocol, "profile": device.profile,
             "host": host, "port": running.port, **device.more}
            for device in PLANT
        ]  # fmt: skip
        if as_json:
            print_json({"broker": running.broker, "devices": found})
            return
        say(f"broker: {running.broker}")
        for one in found:
            say("{name:20} {host}:{port} {protocol}  profile {profile}".format(**one))

    work = run_plant(host, port, seed=seed, broker=broker, ready=ready)
    _serve(work, f"no broker on {host}")


@app.command()
def opcua(  # noqa: PLR0917 - options of a command
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 4840,
    folder: Annotated[
        Path | None, typer.Option(help="Keeps its certificate; without it a new one each time.")
    ] = None,
    trusted_by: Annotated[
        Path | None, typer.Option(help="A gateway's 'pki_dir', which trusts it from the start.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same machine.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve a machining centre over OPC UA until Ctrl-C."""
    from simulators.opcua.running import PROFILE, run_machine  # noqa: PLC0415 - help must be quick

    def ready(served: "Simulator") -> None:
        found = {
            "name": "machining-centre",
            "profile": PROFILE,
            "endpoint": served.endpoint,
            "fingerprint": served.fingerprint,
        }
        if as_json:
            print_json({"devices": [found]})
        else:
            say("{name:20} {endpoint}  profile {profile}\n{fingerprint:>85}".format(**found))

    running = run_machine(host, port, seed=seed, folder=folder, trusted_by=trusted_by, ready=ready)
    _serve(running, f"cannot listen on {host}")


@app.command()
def site(
    folder: Annotated[
        Path, typer.Argument(help="Where the gateway's file will be; keys and tokens go there.")
    ],
    first_port: Annotated[
        int,
        typer.Option(help="The first of three Modbus ports; 0 for free ones.", min=0, max=65_533),
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same plant.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print devices as JSON.")] = False,
) -> None:
    """Serve a plant of every protocol until Ctrl-C."""
    from simulators.site.plant import Device, run_site_plant  # noqa: PLC0415 - help must be quick

    def ready(devices: "list[Device]") -> None:
        if as_json:
            print_json({"devices": devices})
            return
        import yaml  # noqa: PLC0415 - help must be quick

        say(f"# devices for {folder / 'gateway.yaml'}")
        typer.echo(yaml.safe_dump({"devices": devices}, sort_keys=False))

    work = run_site_plant(folder, first_port=first_port, seed=seed, ready=ready)
    _serve(work, "cannot listen")
