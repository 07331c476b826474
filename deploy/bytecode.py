"""Compiled modules for a place where Python cannot keep its own: Lambda's code folder is read-only, and a cold
start that compiles every module takes three times as long.

A compiled module says by PEP 552 that nobody need look whether its source has changed, so it holds no time;
and it is written in an old form of marshal that knows no references, because which objects are references
depends on what else the process has done. So one version of Python always writes the same bytes.
"""

from __future__ import annotations

import functools
import importlib.util
import marshal
import sys
import warnings
from pathlib import PurePosixPath

TASK = PurePosixPath("/var/task")  # where Lambda puts a package: what tracebacks show

_UNCHECKED_HASH = (1).to_bytes(4, "little")
_WITHOUT_REFERENCES = 2


def running() -> str:
    """The version of Python that can be compiled for: this one's."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@functools.lru_cache(maxsize=4096)
def compiled(name: str, source: bytes) -> tuple[str, bytes] | None:
    """Name and bytes of what Python looks for beside the module ``name``; None if it does not compile."""
    path = PurePosixPath(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(source, str(TASK / path), "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        return None
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    cached = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
    return str(cached), header + marshal.dumps(code, _WITHOUT_REFERENCES)
