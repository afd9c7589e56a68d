"""``tidegate edge profile``: device profiles, and the sheets they come from and go to."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.outcome import ExitCode, leave, print_json, say
from tidegate.profiles.references import Counting

app = typer.Typer(
    help="Device profiles: list, check, import and export.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Folder = Annotated[
    list[Path] | None, typer.Option("--folder", help="Another folder of profiles; repeatable.")
]


@app.command("list")
def list_profiles(
    search: Annotated[str, typer.Argument(help="Part of a name, a vendor or a title.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """List the profiles that there are."""
    from components.drivers import find_driver  # noqa: PLC0415 - help must be quick
    from edge_runtime.profiles.loader import built_in_folder  # noqa: PLC0415
    from tidegate.profiles.listing import list_folder  # noqa: PLC0415

    found = [
        profile
        for place in (*(folder or ()), built_in_folder())
        for profile in list_folder(place, find_driver)
        if search.lower() in f"{profile.name} {profile.vendor} {profile.title}".lower()
    ]
    if as_json:
        print_json({"profiles": found})
    else:
        from tidegate.cli.profile_tables import profiles_table  # noqa: PLC0415

        profiles_table(found)
    if not found:
        leave(ExitCode.NOT_FOUND, f"no profile fits '{search}'")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(metavar="profile.yaml…")]) -> None:
    """Check profiles with line and column; touches no device."""
    from components.drivers import find_driver  # noqa: PLC0415 - help must be quick
    from edge_runtime.problems import FileProblemsError  # noqa: PLC0415
    from tidegate.profiles.checking import read_profile  # noqa: PLC0415

    wrong = 0
    for file in files:
        try:
            profile = read_profile(file, find_driver)
        except FileProblemsError as exc:
            wrong += len(exc.problems)
            say(str(exc))
        else:
            say(f"{file}: {len(profile.points)} points of '{profile.head.protocol}', fine")
    if wrong:
        leave(ExitCode.PROBLEMS, f"{wrong} problem{'s' if wrong > 1 else ''}")


@app.command("import")
def import_sheet(
    sheet: Annotated[Path, typer.Argument(metavar="points.csv|.xlsx|ede.csv")],
    *,
    into: Annotated[Path, typer.Option(help="The profile to write: NAME.yaml.")],
    protocol: Annotated[str, typer.Option(help="The driver of a new profile.")] = "",
    title: Annotated[str, typer.Option(help="One line for people.")] = "",
    vendor: Annotated[str, typer.Option(help="Who makes the device.")] = "",
    model: Annotated[str, typer.Option(help="The product.")] = "",
    document: Annotated[str, typer.Option(help="Where the map is from.")] = "",
    tab: Annotated[str | None, typer.Option("--sheet", help="Which sheet of an XLSX file.")] = None,
    addresses: Annotated[
        Counting, typer.Option(help="How a sheet of Modbus registers counts addresses.")
    ] = Counting.FROM_0,
    device: Annotated[int | None, typer.Option(help="Which device of an EDE file.")] = None,
    states: Annotated[
        Path | None, typer.Option(help="State texts that belong to an EDE file.")
    ] = None,
    units: Annotated[Path | None, typer.Option(help="Units that belong to an EDE file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Change a profile without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Make or change a profile from a sheet; shows what changes first."""
    from components.drivers import find_driver  # noqa: PLC0415 - help must be quick
    from tidegate.cli.profile_tables import import_report, import_table  # noqa: PLC0415
    from tidegate.profiles.importing import plan_import, write_import  # noqa: PLC0415
    from tidegate.profiles.opening import Options, open_points  # noqa: PLC0415

    given = {"protocol": protocol, "title": title, "vendor": vendor, "model": model,
             "document": document}  # fmt: skip
    head = {key: value for key, value in given.items() if value}
    if into.suffix != ".yaml":
        leave(ExitCode.USAGE, f"--into {into}: the name of a profile ends in .yaml")
    points = open_points(sheet, Options(tab, addresses, device, states, units))
    planned = plan_import(points, into, head, find_driver)
    if as_json:
        print_json(import_report(planned))
    else:
        import_table(planned)
    if planned.changes_nothing or dry_run:
        return
    if not planned.new and not yes:
        if not sys.stdin.isatty():
            leave(ExitCode.CONFLICT, f"{into} would change; say --yes to change it")
        if not typer.confirm(f"Change {into}?", err=True):
            leave(ExitCode.OK, "nothing was written")
    backup = write_import(planned)
    say(f"wrote {into}" + (f"; the one before is {backup}" if backup else ""))


@app.command("export")
def export_sheet(
    profile: Annotated[str, typer.Argument(help="A profile's name, or its file.")],
    out: Annotated[Path, typer.Option(help="The sheet to write: .csv or .xlsx.")],
    folder: Folder = None,
    device: Annotated[
        int | None, typer.Option(help="Write an EDE file, of this BACnet device.")
    ] = None,
) -> None:
    """Write a profile as a sheet, which imports again without a change."""
    from components.drivers import find_driver  # noqa: PLC0415 - help must be quick
    from edge_runtime.profiles.loader import built_in_folder  # noqa: PLC0415
    from tidegate.profiles.checking import read_profile  # noqa: PLC0415
    from tidegate.profiles.exporting import export_rows  # noqa: PLC0415
    from tidegate.profiles.sheet import write_csv, write_xlsx  # noqa: PLC0415

    places = [place / f"{profile}.yaml" for place in (*(folder or ()), built_in_folder())]
    file = next((p for p in (Path(profile), *places) if p.suffix == ".yaml" and p.is_file()), None)
    if file is None:
        leave(ExitCode.NOT_FOUND, f"no profile '{profile}'; 'tidegate edge profile list' has them")
    found = read_profile(file, find_driver)
    if device is not None:
        from tidegate.profiles.ede_export import write_ede  # noqa: PLC0415

        beside = out.with_name(f"{out.stem}_StateTexts.csv")
        for path, content in zip((out, beside), write_ede(found, device), strict=True):
            path.write_bytes(content)
        leave(ExitCode.OK, f"wrote {out}, and the texts of states to {beside}")
    rows = export_rows(found)
    if out.suffix not in {".csv", ".xlsx"}:
        leave(ExitCode.USAGE, f"--out {out}: a sheet ends in .csv or .xlsx")
    out.write_bytes(write_csv(rows) if out.suffix == ".csv" else write_xlsx(rows, file.stem))
    say(f"wrote {len(rows) - 1} points to {out}")
