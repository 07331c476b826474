"""Writes the files made from the bots' headers and the settings, or says which of them are out of date.

python -m spoke_role.generate                                  write them all
python -m spoke_role.generate --check                          exit 1 if one differs, and how
python -m spoke_role.generate --max-risk additive --output FILE
python -m spoke_role.generate --bots s3_enable_versioning,kms_enable_rotation --output FILE
                                                               a spoke role for these bots only
python -m spoke_role.generate --own-bots FOLDER --output FILE  also for bots of your own

Optional bots are left out unless --bots names them.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bots._bot import Risk
from bots._catalogue import BrokenBot, Catalogue, UnknownBot, names
from bots._own import catalogue
from spoke_role import pages, template
from spoke_role.policy import TooLarge, select

ROOT = Path(__file__).resolve().parent.parent
SHOWN_LINES = 20


def generated(root: Path) -> dict[str, str]:
    """Every generated file as it should be, by its path below ``root``."""
    bots = select(names())
    files = {
        "spoke_role/role.yaml": template.render(select()),
        "bots/README.md": pages.bots_page(bots),
        "docs/settings.md": pages.settings_page(),
    }
    readme = root / "README.md"
    if readme.exists():
        files["README.md"] = pages.readme(readme.read_text(encoding="utf-8"))
    return files


def differences(root: Path, files: Mapping[str, str]) -> list[str]:
    """For each file that is not as it should be: its name and the first lines of the difference."""
    found = []
    for name, wanted in files.items():
        path = root / name
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if present != wanted:
            lines = list(
                difflib.unified_diff(
                    present.splitlines(), wanted.splitlines(), name, "generated", lineterm="", n=0
                )
            )
            more = [f"... {len(lines) - SHOWN_LINES} lines more"] if len(lines) > SHOWN_LINES else []
            found.append("\n".join([*lines[:SHOWN_LINES], *more]))
    return found


def write(root: Path, files: Mapping[str, str]) -> list[str]:
    """Write what differs; the names of what was written."""
    written = []
    for name, wanted in files.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
            written.append(name)
    return written


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """0: done, or nothing differs; 1: something differs; 2: the bots asked for cannot be rendered."""
    parser = argparse.ArgumentParser(
        prog="python -m spoke_role.generate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a file is out of date")
    parser.add_argument("--bots", type=lambda text: text.split(","), help="names, comma separated")
    parser.add_argument("--max-risk", type=Risk, choices=list(Risk), help="leave out bots of a higher risk")
    parser.add_argument("--own-bots", default="", help="folder with bots of your own to include")
    parser.add_argument("--output", type=Path, help="write a template for the chosen bots to this file")
    asked = parser.parse_args(arguments)
    if asked.output is not None:
        try:
            known = catalogue(asked.own_bots)
        except NotADirectoryError as error:
            parser.error(str(error))
        return _write_subset(asked.output, asked.bots, asked.max_risk, known)
    if asked.bots or asked.max_risk or asked.own_bots:
        parser.error("--bots, --max-risk and --own-bots choose what goes into --output FILE")
    files = generated(root)
    if not asked.check:
        _say(*(f"wrote {name}" for name in write(root, files)))
        return 0
    found = differences(root, files)
    _say(*found, *(["out of date; run `python -m spoke_role.generate`"] if found else []))
    return 1 if found else 0


def _write_subset(output: Path, wanted: list[str] | None, max_risk: Risk | None, known: Catalogue) -> int:
    try:
        bots = select(wanted, max_risk, known)
        text = template.render(bots)
    except (UnknownBot, BrokenBot, TooLarge, template.TooLong) as error:
        _say(str(error))
        return 2
    if not bots:
        _say("no bot is left; a role that may do nothing is of no use")
        return 2
    output.write_text(text, encoding="utf-8")
    _say(f"wrote {output}: {len(bots)} bots")
    return 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
