"""See `tests.policy_lint`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.policy_lint.rules import ACCEPTED, Accepted, Remark, remarks
from tests.policy_lint.templates import policies
from tests.spoke_role.reading import ROOT, parsed

TEMPLATES = (*sorted((ROOT / "deploy").glob("*.yaml")), ROOT / "spoke_role/role.yaml")


def main(arguments: Sequence[str]) -> int:
    """0: nothing to say; 1: something, or something is accepted that is not there any more."""
    used: set[Accepted] = set()
    said = []
    for path in [Path(given) for given in arguments] or TEMPLATES:
        said += [f"{path.name}: {each}" for each in remarks_on(path.read_text(encoding="utf-8"), used)]
    if not arguments:
        said += [f"accepted, and not found any more: {each}" for each in ACCEPTED if each not in used]
    sys.stdout.writelines(f"{line}\n" for line in said)
    return 1 if said else 0


def remarks_on(template: str, used: set[Accepted]) -> Iterator[Remark]:
    """What there is to say of a template's policies and is not accepted.

    Args:
        used: what was accepted is added to it.
    """
    for found in policies(parsed(template)):
        for remark in remarks(found):
            covering = [each for each in ACCEPTED if each.covers(remark)]
            used.update(covering)
            if not covering:
                yield remark


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
