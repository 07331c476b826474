"""What a spoke role's rights are, in a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.doctor.words import DEPLOY_SPOKES, By, Line, Rights, failed, ok, warning

_SUBJECT = "permissions"
_FEW = 3
_MANY = 20


def told(rights: Rights, label: str) -> Line:
    """
    Args:
        label: which bots the version is for, "" if this hub does not make that version.
    """
    if label:
        return _of_this_hub(rights, label)
    return _of_another(rights)


def _of_this_hub(rights: Rights, label: str) -> Line:
    seen = f"version {rights.version}, {label}: {_allowed(rights)}"
    if rights.by is By.VERSION:
        return ok(_SUBJECT, seen, answer=_names("not allowed", rights.lacking))
    if not rights.added and not rights.gone:
        return ok(
            _SUBJECT,
            f"{seen}; the policies are as the version says",
            answer=_names("not allowed", rights.lacking),
        )
    # Denies that are gone and allowances that came make it a stronger role than anybody agreed to.
    stronger = any(each.startswith("Allow") for each in rights.added) or any(
        each.startswith("Deny") for each in rights.gone
    )
    return (failed if stronger else warning)(
        _SUBJECT,
        f"{seen}; but the policies are not as the version says, they were changed by hand: {_difference(rights)}",
        f"find out who changed them, then {DEPLOY_SPOKES}",
        answer="; ".join(_details(rights)),
    )


def _of_another(rights: Rights) -> Line:
    version = f"version {rights.version}, not one of this hub's" if rights.version else "no version (no tag)"
    seen = f"{version}: {_allowed(rights)}"
    if not rights.added and not rights.gone:
        return ok(_SUBJECT, f"{seen}; the policies are this hub's")
    more = sum(each.startswith("Allow") for each in rights.added)
    less = sum(each.startswith("Deny") for each in rights.gone)
    also = [f"allows {more} things beyond"] if more else []
    also += [f"lacks {less} of this hub's denials"] if less else []
    if rights.guards_lack:
        missing = ", ".join(rights.guards_lack)
        also.append(f"guards cannot see there what is now, and go by the finding (no {missing})")
    return warning(
        _SUBJECT,
        "; ".join([seen, *also]),
        DEPLOY_SPOKES,
        answer="; ".join(_details(rights)),
    )


def _allowed(rights: Rights) -> str:
    if not rights.lacking:
        return f"allows all {rights.bots} bots"
    others = ", ".join(rights.lacking) if len(rights.lacking) <= _FEW else "the others"
    return f"allows {rights.bots - len(rights.lacking)} of {rights.bots} bots; denied: {others}"


def _difference(rights: Rights) -> str:
    parts = [(len(rights.added), "added"), (len(rights.gone), "gone")]
    return ", ".join(f"{count} {word}" for count, word in parts if count)


def _details(rights: Rights) -> Iterator[str]:
    if rights.lacking:
        yield _names("not allowed", rights.lacking)
    for word, texts in (("added", rights.added), ("gone", rights.gone)):
        yield from (f"{word}: {each}" for each in texts[:_MANY])
        if len(texts) > _MANY:
            yield f"{len(texts) - _MANY} more {word}"


def _names(word: str, lacking: Mapping[str, tuple[str, ...]]) -> str:
    return f"{word}: {', '.join(lacking)}" if lacking else ""
