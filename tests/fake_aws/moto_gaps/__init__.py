"""What moto 5.2.5 answers differently from AWS, put right one service at a time.

A file per service, named as botocore names it with dashes as underscores. It may define

* ``before(call) -> Answer | None``: AWS would refuse or answer this without moto;
* ``after(call, answer) -> Answer``: called on moto's successes; may amend state or the answer.

Both see the calls of everybody, administrators too. State lives in moto's own objects. Every gap says
what AWS does.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from types import ModuleType

from tests.fake_aws.wire import Answer, Call


@functools.cache
def _gaps_of(service: str) -> ModuleType | None:
    stem = service.replace("-", "_")
    if not Path(__file__).with_name(f"{stem}.py").exists():
        return None
    return importlib.import_module(f"{__name__}.{stem}")


def before(call: Call) -> Answer | None:
    """An answer in moto's place, if the service's file has one."""
    hook = getattr(_gaps_of(call.service), "before", None)
    answer: Answer | None = hook(call) if hook else None
    return answer


def after(call: Call, answer: Answer) -> Answer:
    """moto's answer, amended where the service's file says so."""
    hook = getattr(_gaps_of(call.service), "after", None)
    if hook is None or answer.status >= 300:
        return answer
    amended: Answer = hook(call, answer)
    return amended
