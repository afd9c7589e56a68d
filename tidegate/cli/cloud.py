"""``tidegate cloud``: run a cloud, and look after its tenants, people, sites and gateways."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, say

if TYPE_CHECKING:
    from cloud_api.administration import Office
    from cloud_api.errors import CloudError
    from cloud_api.server import Running
    from cloud_api.settings import CloudSettings

T = TypeVar("T")

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(help="Run and look after a cloud.", no_args_is_help=True, context_settings=HELP)
tenant_app = typer.Typer(help="Tenants: customers.", no_args_is_help=True, context_settings=HELP)
site_app = typer.Typer(help="Sites: places.", no_args_is_help=True, context_settings=HELP)
person_app = typer.Typer(help="People.", no_args_is_help=True, context_settings=HELP)
gateway_app = typer.Typer(help="Gateways.", no_args_is_help=True, context_settings=HELP)
app.add_typer(tenant_app, name="tenant")
app.add_typer(site_app, name="site")
app.add_typer(person_app, name="person")
app.add_typer(gateway_app, name="gateway")

StateDir = Annotated[
    Path,
    typer.Option(
        envvar="TIDEGATE_STATE_DIR", help="The cloud's folder: authority, keys, database."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Tenant = Annotated[
    str | None, typer.Option(help="Name or id; may be left out while there is only one.")
]
STATE_DIR = Path("cloud")


@app.command()
def run(
    *,
    state_dir: StateDir = STATE_DIR,
    host: Annotated[str, typer.Option(help="Where HTTPS listens, for gateways.")] = "127.0.0.1",
    https_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8443,
    http_port: Annotated[int, typer.Option(help="Loopback only; 0 takes a free one.")] = 8080,
    host_name: Annotated[
        list[str] | None,
        typer.Option(help="Name or address by which gateways reach this cloud; repeatable."),
    ] = None,
    log: Annotated[str, typer.Option(help="Lowest level that is logged.")] = "info",
    as_json: Json = False,
) -> None:
    """Run the cloud; DATABASE_URL names the database, without it one is started here."""
    from cloud_api.server import serve  # noqa: PLC0415 - help must be quick
    from tidegate.cli.logs import set_up  # noqa: PLC0415

    set_up("cloud", level=log)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    names = {"host_names": tuple(host_name)} if host_name else {}
    settings = _settings(state_dir, host=host, https_port=https_port, http_port=http_port, **names)

    def ready(running: "Running") -> None:
        if as_json:
            print_json(running)
        say(f"dashboard {running.http}   gateways {running.https}   database {running.database}")

    _guarded(lambda: _run_loop(serve(settings, ready)))


@tenant_app.command("add")
def add_tenant(name: str, state_dir: StateDir = STATE_DIR, as_json: Json = False) -> None:
    """Add a tenant."""
    made = _in_office(state_dir, lambda office: office.add_tenant(name))
    _show(made, f"tenant {made.name} ({made.id})", as_json)
    say("next: tidegate cloud site add NAME, tidegate cloud person add --email ADDRESS")


@site_app.command("add")
def add_site(
    name: str,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    tenant: Tenant = None,
    state_dir: StateDir = STATE_DIR,
    as_json: Json = False,
) -> None:
    """Add a site to a tenant."""
    made = _in_office(state_dir, lambda office: office.add_site(name, time_zone, tenant))
    _show(made, f"site {made.name} ({made.id})", as_json)
    say(f"next: tidegate cloud claim --site '{made.name}'")


@person_app.command("add")
def add_person(
    *,
    email: Annotated[str, typer.Option(help="Address; people sign in with it.")],
    name: Annotated[str, typer.Option(help="The address by default.")] = "",
    role: Annotated[Literal["viewer", "operator", "admin"], typer.Option()] = "viewer",
    password_file: Annotated[
        Path | None, typer.Option(help="First line is the password; without it by link only.")
    ] = None,
    tenant: Tenant = None,
    state_dir: StateDir = STATE_DIR,
    as_json: Json = False,
) -> None:
    """Add a person to a tenant."""
    from cloud_api.access.caller import Role  # noqa: PLC0415 - help must be quick
    from cloud_api.administration import read_password  # noqa: PLC0415

    password = _guarded(lambda: read_password(password_file)) if password_file else None
    made = _in_office(
        state_dir, lambda office: office.add_person(email, name, Role(role), password, tenant)
    )
    _show(made, f"person {made.name} ({made.id})", as_json)
    if password is None:
        say(f"next: tidegate cloud sign-in-link --email {made.name}")


@app.command()
def sign_in_link(
    email: Annotated[str, typer.Option(help="Whom it signs in.")],
    tenant: Tenant = None,
    state_dir: StateDir = STATE_DIR,
    as_json: Json = False,
) -> None:
    """Print a link that signs a person in once, within the hour."""
    link = _in_office(state_dir, lambda office: office.sign_in_link(email, tenant))
    _show(link, link.url, as_json)


@app.command()
def claim(
    site: Annotated[str, typer.Option(help="Name or id of the site.")],
    valid_hours: Annotated[int, typer.Option(min=1, max=720)] = 24,
    tenant: Tenant = None,
    state_dir: StateDir = STATE_DIR,
    as_json: Json = False,
) -> None:
    """Print a claim by which one new gateway enrols."""
    made = _in_office(state_dir, lambda office: office.new_claim(site, valid_hours, tenant))
    _show(made, made.claim, as_json)
    say(f"for one gateway at {made.site}, cloud.url {made.url}, until {made.expires_at:%F %R} UTC")


@gateway_app.command("suspend")
def suspend(
    gateway: str, tenant: Tenant = None, state_dir: StateDir = STATE_DIR, as_json: Json = False
) -> None:
    """Refuse a gateway from now on; it notices within a minute and keeps its data."""
    made = _in_office(
        state_dir, lambda office: office.set_gateway_status(gateway, "suspended", tenant)
    )
    _show(made, f"{made.name} is suspended", as_json)


@gateway_app.command("resume")
def resume(
    gateway: str, tenant: Tenant = None, state_dir: StateDir = STATE_DIR, as_json: Json = False
) -> None:
    """Let a suspended gateway in again."""
    made = _in_office(
        state_dir, lambda office: office.set_gateway_status(gateway, "enrolled", tenant)
    )
    _show(made, f"{made.name} may come in", as_json)


@app.command()
def status(state_dir: StateDir = STATE_DIR, as_json: Json = False) -> None:
    """Show where the cloud is, its tenants and how their gateways are."""
    found = _in_office(state_dir, lambda office: office.status())
    if as_json:
        print_json(
            {
                "https": found.https,
                "http": found.http,
                "tenants": [
                    {
                        "id": tenant.id,
                        "name": tenant.name,
                        "gateways": [view.model_dump(mode="json") for view in tenant.gateways],
                    }
                    for tenant in found.tenants
                ],
            }
        )
    else:
        from tidegate.cli.cloud_tables import status_table  # noqa: PLC0415 - help must be quick

        status_table(found)


@app.command(hidden=True)
def schema() -> None:
    """Print the schema that all migrations together make (for cloud_api/db/schema.sql)."""
    from cloud_api.db.schema import schema_of_migrations  # noqa: PLC0415 - help must be quick

    typer.echo(_guarded(lambda: _run_loop(schema_of_migrations())), nl=False)


@app.command(hidden=True)
def openapi() -> None:
    """Print the description of the API (for docs/openapi.json)."""
    from cloud_api.app import describe_api  # noqa: PLC0415 - help must be quick

    typer.echo(describe_api(), nl=False)


def _settings(state_dir: Path, **more: Any) -> "CloudSettings":
    from pydantic import SecretStr, ValidationError  # noqa: PLC0415 - help must be quick

    from cloud_api.settings import CloudSettings  # noqa: PLC0415

    url = os.environ.get("DATABASE_URL")
    try:
        return CloudSettings(
            state_dir=state_dir, database_url=SecretStr(url) if url else None, **more
        )
    except ValidationError as exc:
        wrong = "\n".join(f"{e['loc'][0]}: found {e['input']}; {e['msg']}" for e in exc.errors())
        leave(ExitCode.USAGE, wrong)


def _in_office(state_dir: Path, work: "Callable[[Office], Awaitable[T]]") -> T:
    from cloud_api.administration import open_office  # noqa: PLC0415 - help must be quick

    settings = _settings(state_dir)

    async def visit() -> T:
        async with open_office(settings) as office:
            return await work(office)

    return _guarded(lambda: asyncio.run(visit()))


def _run_loop(work: "Awaitable[T]") -> T:
    import uvloop  # noqa: PLC0415 - help must be quick

    async def main() -> T:
        return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def _guarded(work: Callable[[], T]) -> T:
    """Turn an error of the cloud into a message and an exit code."""
    from cloud_api.errors import CloudError  # noqa: PLC0415 - help must be quick

    try:
        return work()
    except CloudError as exc:
        _fail(exc)
    except ExceptionGroup as group:
        known = group.subgroup(CloudError)
        first = known.exceptions[0] if known else None
        if not isinstance(first, CloudError):
            raise
        _fail(first)


def _fail(error: "CloudError") -> NoReturn:
    codes = {
        400: ExitCode.USAGE, 401: ExitCode.NOT_SIGNED_IN, 403: ExitCode.NOT_SIGNED_IN,
        404: ExitCode.NOT_FOUND, 409: ExitCode.CONFLICT, 503: ExitCode.UNREACHABLE,
    }  # fmt: skip
    text = f"{error}\n→ {error.hint}" if error.hint else str(error)
    leave(codes.get(error.status_code, ExitCode.FAILED), text)


def _show(data: object, text: str, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        typer.echo(text)
