"""``hub package``: the zip that Lambda runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hub.cli.console import err, out, print_error, print_json

if TYPE_CHECKING:
    from deploy.package import Package

EXAMPLES = """
[bold]Examples[/]

  hub package                                   both architectures, into dist/
  hub package --arch arm64 --json               one of them; digests and sizes for a script
  hub package --own-bots my-bots                with bots of your own

The same checkout and Python give the same bytes everywhere. Needs pip and an index it can reach.
"""


def add_to(app: typer.Typer) -> None:
    app.command("package", epilog=EXAMPLES)(package)


def package(
    *,
    arch: Annotated[
        list[str] | None, typer.Option("--arch", metavar="ARCH", help="arm64 or x86_64; both if not given.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the zips.")] = Path("dist"),
    own_bots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A folder of bots of your own, which come along.")
    ] = None,
    bytecode: Annotated[
        bool,
        typer.Option(help="Add compiled modules: cold starts are quicker. Needs the Python that Lambda has."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a package.")] = False,
) -> None:
    """Build the Lambda function's package, reproducibly and with pinned dependencies."""
    from deploy.package import Arch, CannotPackage, build  # noqa: PLC0415
    from hub.errors import SettingsWrong  # noqa: PLC0415

    try:
        arches = [Arch(each) for each in arch or list(Arch)]
    except ValueError as error:
        raise SettingsWrong(f"--arch: {error}; give one of {', '.join(Arch)}") from error
    console = err()
    made = []
    for each in dict.fromkeys(arches):
        try:
            with console.status(f"packaging for {each}"):
                made.append(build(each, output, own_bots=own_bots, bytecode=bytecode))
        except (CannotPackage, OSError) as error:
            print_error(str(error))
            raise typer.Exit(1) from None
        if as_json:
            print_json(facts(made[-1]))
    if not as_json:
        out().print(_table(made))


def facts(made: Package) -> dict[str, Any]:
    """The package as JSON."""
    return {
        "file": str(made.file),
        "arch": str(made.arch),
        "version": made.version,
        "zipped_bytes": made.zipped,
        "unzipped_bytes": made.unzipped,
        "direct_upload": made.direct,
        "sha256": made.sha256,
        "code_sha256": made.code_sha256,
        "packages": list(made.packages),
    }


def _table(made: list[Package]) -> Table:
    table = Table(header_style="bold")
    table.add_column("Package", overflow="fold")
    for size in ("Zipped", "Unzipped"):
        table.add_column(size, justify="right", no_wrap=True)
    table.add_column("SHA-256, and as Lambda's CodeSha256", overflow="fold")
    for each in made:
        through = "" if each.direct else "\nthrough a bucket only"
        table.add_row(
            Text(str(each.file)),
            Text(_megabytes(each.zipped) + through),
            Text(_megabytes(each.unzipped)),
            Text(f"{each.sha256}\n{each.code_sha256}"),
        )
    return table


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"
