"""A zip whose bytes depend on what is in it alone: not on when, where or with which zlib it is made.

What comes out of wheels goes in as it was compressed there; everything else is stored as it is. The
standard library's zipfile can only compress anew, and zlibs of different builds compress differently.

Source: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SIZES = struct.Struct("<26xHH")  # of a local header: how long name and extra field are
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sBBHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")

_VERSION = 20  # of the format: deflate and folders
_UNIX = 3
_UTF8 = 1 << 11
_MIDNIGHT, _FIRST_DAY = 0, (0 << 9) | (1 << 5) | 1  # 1 January 1980, the earliest a zip can say
_MODE = 0o100644  # a plain file that everybody may read, which Lambda asks for


class ZipWrong(ValueError):
    """A file is no wheel this can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, packed. ``size`` is what it takes unpacked, in bytes."""

    name: str
    method: int
    crc: int
    size: int
    packed: bytes

    def content(self) -> bytes:
        """The file's bytes."""
        return self.packed if self.method == zipfile.ZIP_STORED else zlib.decompress(self.packed, wbits=-15)


def stored(name: str, content: bytes) -> Entry:
    """A file of our own, not compressed."""
    return Entry(
        name=name, method=zipfile.ZIP_STORED, crc=zlib.crc32(content), size=len(content), packed=content
    )


def of_wheel(path: Path) -> Iterator[Entry]:
    """The files in a wheel, still packed.

    Raises:
        ZipWrong: it is none, or is packed in a way that Lambda cannot unpack.
    """
    try:
        with zipfile.ZipFile(path) as wheel, path.open("rb") as raw:
            for info in wheel.infolist():
                if info.is_dir():
                    continue
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ZipWrong(f"{path.name}: {info.filename} is not packed by deflate")
                raw.seek(info.header_offset)
                lengths = _SIZES.unpack(raw.read(_SIZES.size))
                raw.seek(sum(lengths), 1)
                yield Entry(
                    name=info.filename,
                    method=info.compress_type,
                    crc=info.CRC,
                    size=info.file_size,
                    packed=raw.read(info.compress_size),
                )
    except (zipfile.BadZipFile, struct.error) as error:
        raise ZipWrong(f"{path.name} is no wheel: {error}") from error


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Make the zip, in the order of names, and read it back. Nothing half written is ever at ``path``."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(b"".join(_parts(sorted(entries, key=lambda entry: entry.name))))
        with zipfile.ZipFile(unfinished) as made:
            damaged = made.testzip()
        if damaged is not None:
            raise ZipWrong(f"{damaged} did not survive being packed")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _parts(entries: list[Entry]) -> Iterator[bytes]:
    directory = []
    offset = 0
    for entry in entries:
        name = entry.name.encode("utf-8")
        flags = 0 if name.isascii() else _UTF8
        facts = (
            *(_VERSION, flags, entry.method, _MIDNIGHT, _FIRST_DAY),
            *(entry.crc, len(entry.packed), entry.size, len(name), 0),
        )
        local = _LOCAL.pack(b"PK\x03\x04", *facts) + name + entry.packed
        yield local
        # No comment, one disk, nothing known of the content, the file's mode, and where it begins.
        central = _CENTRAL.pack(b"PK\x01\x02", _VERSION, _UNIX, *facts, 0, 0, 0, _MODE << 16, offset)
        directory.append(central + name)
        offset += len(local)
    listed = b"".join(directory)
    yield listed
    yield _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(listed), offset, 0)
