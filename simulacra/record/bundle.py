"""A run as one zip file, and taking in such a file from a stranger."""

from __future__ import annotations

import io
import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from simulacra.errors import RecordError
from simulacra.events import TABLES
from simulacra.record.durable import TEMPORARY, disk_errors, promote, write_file
from simulacra.record.runfiles import (
    CHECKPOINT_FILE,
    DAY_FILE,
    PERSONAS_FILE,
    REVIEW_FILE,
    RUN_FILE,
    SCORES_FOLDER,
    checked_info,
    checked_run_id,
    to_json,
)
from simulacra.record.runs import RunFolder
from simulacra.record.verify import FolderFiles, differences

LARGEST_BUNDLE = 16 * 2**30
"""Bytes that a bundle may unpack to, unless the caller allows more."""

_MOST_FILES = 200_000
_MEMBERS = re.compile(
    rf"{re.escape(RUN_FILE)}|{re.escape(PERSONAS_FILE)}|{re.escape(REVIEW_FILE)}|{SCORES_FOLDER}/[A-Za-z0-9][A-Za-z0-9._-]*\.parquet"
    rf"|(?:burn|day)-\d{{4,6}}/(?:{re.escape(DAY_FILE)}|{re.escape(CHECKPOINT_FILE)}|(?:{'|'.join(TABLES)})\.parquet)"
)


def write_bundle(run: RunFolder, path: Path) -> None:
    """The run folder in one zip file, under the run's id. Equal runs at rest give equal files: members carry no clock.

    Raises RecordError while the run is being written.
    """
    if run.status == "running":
        raise RecordError(f"{run.path}: is being written. Wait until it ends, or stop it, then export it.")
    files = FolderFiles(run.path)
    names = sorted(name for name in files.names() if _MEMBERS.fullmatch(name))

    def fill(out: BinaryIO) -> None:
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                entry = zipfile.ZipInfo(f"{run.id}/{name}")
                entry.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                with files.open(name) as source, archive.open(entry, "w", force_zip64=True) as member:
                    shutil.copyfileobj(source, member, 1 << 20)

    write_file(path, fill)


def import_bundle(
    bundle: Path | str, runs_dir: Path | str = "runs", run_id: str | None = None, limit: int | None = None
) -> RunFolder:
    """Take in a run that somebody exported as a zip file. Nothing is written unless every check passes.

    Checked: that the members are those of a run folder and nothing else (no other paths, no links, no doubles), that they
    unpack to at most `limit` bytes (default LARGEST_BUNDLE), the format version, the columns, and every digest.
    run_id: another name for it here. Raises RecordError, one line, on the first thing that is wrong.
    """
    bundle, limit = Path(bundle), LARGEST_BUNDLE if limit is None else limit
    try:
        with disk_errors(bundle), zipfile.ZipFile(bundle) as archive:
            files = _ZipFiles(bundle, archive, limit)
            info = checked_info(bundle / RUN_FILE, _content(files, RUN_FILE))
            name = checked_run_id(run_id if run_id is not None else str(info.get("run", "")))
            path = Path(runs_dir) / name
            if path.exists():
                raise RecordError(f"{path}: exists already. Import the bundle under another run name.")
            if wrong := differences(files, limit=limit):
                raise RecordError(f"{bundle}: {wrong[0]}" + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
            with disk_errors(path):
                _unpack(files, path, to_json({**info, "run": name}))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RecordError(f"{bundle}: no zip file, or a damaged one ({str(error)[:80]}).") from error
    return RunFolder(path)


class _ZipFiles:
    """The files of a bundle, as `verify.Files`; refused here is all that should not be in one."""

    def __init__(self, bundle: Path, archive: zipfile.ZipFile, limit: int) -> None:
        self.where = str(bundle)
        self._archive = archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        size = sum(entry.file_size for entry in entries)
        if size > limit or len(entries) > _MOST_FILES:
            raise RecordError(
                f"{bundle}: unpacks to {size} bytes in {len(entries)} files; {limit} and {_MOST_FILES} are allowed."
            )
        for entry in entries:
            name = self._checked(entry)
            if name in self._entries:
                raise RecordError(f"{bundle}: holds {name!r} twice.")
            self._entries[name] = entry

    def _checked(self, entry: zipfile.ZipInfo) -> str:
        """The member's name below the run's own folder, where it has one."""
        parts = PurePosixPath(entry.filename).parts
        names = ["/".join(parts)] if "\\" not in entry.filename and not entry.filename.startswith("/") else []
        names += ["/".join(parts[1:])] if names and len(parts) > 1 and parts[0] not in ("..", "/") else []
        mode = entry.external_attr >> 16
        known = [name for name in names if _MEMBERS.fullmatch(name)]
        if not known or (stat.S_IFMT(mode) not in (0, stat.S_IFREG)) or entry.flag_bits & 0x1:
            raise RecordError(f"{self.where}: member {entry.filename[:80]!r} does not belong in a run. Nothing was imported.")
        return known[0]

    def names(self) -> set[str]:
        return set(self._entries)

    def open(self, name: str) -> BinaryIO:
        if name not in self._entries:
            raise RecordError(f"{self.where}: {name} is missing")
        return io.BytesIO(self._archive.read(self._entries[name]))  # at most the declared size, its checksum compared


def _content(files: _ZipFiles, name: str) -> bytes:
    with files.open(name) as content:
        return content.read()


def _unpack(files: _ZipFiles, path: Path, info: bytes) -> None:
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for name in sorted(files.names()):
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = info if name == RUN_FILE else _content(files, name)
            write_file(target, lambda file, content=content: file.write(content))  # type: ignore[misc]
        promote(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
