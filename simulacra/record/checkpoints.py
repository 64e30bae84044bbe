"""The complete state of a simulation as one file: named arrays in an uncompressed .npz, which numpy alone can open."""

from __future__ import annotations

import io
import tokenize
import zipfile
from hashlib import blake2b
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from simulacra.seams import State

_TEXT, _ENDS = ".utf8", ".ends"  # an array of strings is kept as its bytes and where each string ends
_ENCRYPTED = 0x1
_DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    MemoryError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    SyntaxError,
    tokenize.TokenError,
)
"""What zipfile and numpy raise on damaged or made-up files, besides ValueError."""


def save_state(file: BinaryIO, state: State) -> None:
    """Write every array; arrays of objects must hold strings only (TypeError)."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(_plain(state).items()):
            entry = zipfile.ZipInfo(name + ".npy")  # dated 1980: no clock in the file
            with archive.open(entry, "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def load_state(file: BinaryIO) -> State:
    """The inverse of `save_state`. Raises ValueError where the file is damaged; never unpickles."""
    try:
        with zipfile.ZipFile(file) as archive:
            plain = {entry.filename.removesuffix(".npy"): _member(archive, entry) for entry in archive.infolist()}
        return _restored(plain)
    except _DAMAGE as error:
        raise ValueError(f"damaged checkpoint: {error}") from error


def state_digest(state: State) -> str:
    """Digest of names, types, shapes and bytes: 32 hexadecimal digits."""
    hashed = blake2b(digest_size=16)
    for name, array in sorted(_plain(state).items()):
        hashed.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        hashed.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return hashed.hexdigest()


def copy_state(state: State) -> State:
    """A state that later changes to the arrays do not reach."""
    return {name: np.array(array) for name, array in state.items()}


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile(f"{entry.filename!r} is compressed or encrypted")
    array: NDArray[Any] = npy.read_array(io.BytesIO(archive.read(entry)), allow_pickle=False)  # read() compares the checksum
    return array


def _plain(state: State) -> State:
    plain: State = {}
    for name, array in state.items():
        array = np.asarray(array)
        if array.dtype.kind != "O":
            plain[name] = array
            continue
        words = _words(name, array)
        plain[name + _TEXT] = np.frombuffer(b"".join(words), np.uint8)
        plain[name + _ENDS] = np.cumsum([len(word) for word in words], dtype=np.int64)
    return plain


def _words(name: str, array: NDArray[Any]) -> list[bytes]:
    if array.ndim != 1 or not all(isinstance(word, str) for word in array):
        raise TypeError(f"checkpoint entry {name!r}: an array of objects must be a row of strings")
    return [word.encode("utf-8", "surrogatepass") for word in array]


def _restored(plain: State) -> State:
    state = {name: array for name, array in plain.items() if not name.endswith((_TEXT, _ENDS))}
    for name in plain:
        if name.endswith(_TEXT):
            stem = name.removesuffix(_TEXT)
            state[stem] = _strings(plain[name].tobytes(), plain[stem + _ENDS].tolist())
    return state


def _strings(text: bytes, ends: list[int]) -> NDArray[np.object_]:
    words = np.empty(len(ends), object)
    for i, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        words[i] = text[start:end].decode("utf-8", "surrogatepass")
    return words
