"""Proof: the bot's check once more, patiently, because AWS shows some changes only after a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bots._bot import AnyBot, Before, Check, Params, Target, TargetGone
from hub.aws.account import SpokeAccount
from hub.flow import record
from hub.flow.denied import told
from hub.flow.kit import Kit
from hub.model import Outcome, Run, Step

FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 3.0


async def until(
    account: SpokeAccount,
    bot: AnyBot,
    target: Target,
    params: Params | None,
    right: Callable[[Check[Before]], bool],
    *,
    patience: float,
) -> Check[Before]:
    """The first check that is ``right``, else the last one made within ``patience`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    pause = FIRST_PAUSE_SECONDS
    while True:
        check = await bot.run_check(account, target, params)
        if right(check) or loop.time() + pause > deadline:
            return check
        await asyncio.sleep(pause)
        pause = min(pause * 2, LAST_PAUSE_SECONDS)


async def settle_fix(
    kit: Kit,
    step: Step,
    run: Run,
    account: SpokeAccount,
    *,
    first: Before,
    saw: Check[Before],
    wrong: BaseException | None,
) -> Run:
    """Look again after a fix that ended or broke off, and record what is true now.

    Args:
        first: the snapshot before the first attempt.
        saw: the check this attempt began with.
        wrong: what the fix raised, if anything.
    """
    assert step.bot is not None
    assert step.target is not None
    patience = 0.0 if wrong else kit.settings.proof_seconds
    try:
        now = await until(
            account, step.bot, step.target, step.params, lambda check: check.compliant, patience=patience
        )
    except TargetGone as gone:
        return await record.close(kit, replace(run, changed=wrong is None), Outcome.GONE, str(gone))
    except Exception as unread:  # noqa: BLE001 - whatever it is, the change is made and unproven
        return await record.close(kit, replace(run, changed=True), *await _unread(kit, run, unread, wrong))
    changed = now.before != first
    run = replace(run, changed=changed, after=record.snapshot(now.before), notes=run.notes + _new(now, saw))
    if now.compliant:
        words = f"{saw.why}; changed, and read again: {now.why}"
        if wrong is not None:
            words += f" (although: {(await told(kit, run, wrong))[1]})"
        return await record.close(kit, run, Outcome.FIXED, words)
    if wrong is None:
        return await record.close(
            kit, run, Outcome.UNPROVEN, f"changed, but reading again still shows: {now.why}"
        )
    outcome, text = await told(kit, run, wrong)
    if changed:
        text += f"; part of the change was made: {now.why}"
    return await record.close(kit, run, outcome, text)


async def _unread(kit: Kit, run: Run, unread: Exception, wrong: BaseException | None) -> tuple[Outcome, str]:
    why = (await told(kit, run, unread))[1]
    if wrong is not None:
        outcome, text = await told(kit, run, wrong)
        return outcome, f"{text}; what is there now could not be read: {why}"
    return Outcome.UNPROVEN, f"changed, but the proof could not be read: {why}"


def _new(now: Check[Before], saw: Check[Before]) -> tuple[str, ...]:
    return tuple(note for note in now.notes if note not in saw.notes)
