"""A designer's own ranker: `module:Class` on the import path, or an entry point of the group `simulacra.feeds`."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import is_dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra.errors import SpecError
from simulacra.feeds.ranking import status_of
from simulacra.parameters import checked
from simulacra.seams import Candidates, FeedDesign, Ints, Readers, Slates, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulacra.platform import PlatformView

GROUP = "simulacra.feeds"
_PLUGIN = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)(?::(?P<settings>.*))?")
_METHODS = ("prepare", "rank", "state", "restore")


class Named(NamedTuple):
    """Somebody's feed, named but not yet made."""

    name: str
    settings: str  # "parameter=value,..."
    load: Callable[[], Any]


def named(text: str) -> Named | None:
    """What a text names that is no feed of ours: an entry point, or `module:Class`, parameters after a colon; else None."""
    name, _, settings = text.partition(":")
    if found := _entry_point(name.strip()):
        return Named(name.strip(), settings, found.load)
    match = _PLUGIN.fullmatch(text.strip())
    if match is None:
        return None
    module, attribute = match["module"], match["name"]
    return Named(f"{module}:{attribute}", match["settings"] or "", lambda: getattr(importlib.import_module(module), attribute))


def installed() -> list[str]:
    """Names of the feeds that other packages offer."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def _entry_point(name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=GROUP, name=name)), None)


def make(plugin: Named, values: Mapping[str, Any]) -> Guarded:
    """The feed, guarded. Raises SpecError where it cannot be imported, made with those parameters, or is no feed."""
    where = f"feed {plugin.name}"
    design = _loaded(plugin, where)
    if not isinstance(design, type):
        raise SpecError(f"{where}: this is a {type(design).__name__}. Name a class.")
    if missing := [method for method in _METHODS if not callable(getattr(design, method, None))]:
        raise SpecError(f"{where}: has no method {missing[0]!r}. Derive it from simulacra.feeds.ScoredFeed.")
    if values and not is_dataclass(design):
        raise SpecError(f"{where}: takes no parameters, since it is no dataclass, and got {', '.join(values)}.")
    try:
        return Guarded(plugin.name, design(**checked(where, design, values) if values else {}))
    except TypeError as error:
        raise SpecError(f"{where}: cannot be made ({_line(error)}). Every parameter needs a default.") from error


def _loaded(plugin: Named, where: str) -> Any:
    with _current_folder_on_path():
        try:
            return plugin.load()
        except Exception as error:  # somebody's module may raise anything: a designer's input, not our bug
            raise SpecError(f"{where}: cannot be imported ({type(error).__name__}: {_line(error)}).") from error


@contextmanager
def _current_folder_on_path() -> Iterator[None]:
    """A ranker in the folder where the command is given is found, as by `python -m`, and nothing is left behind."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


class Guarded:
    """Somebody's feed, whose slates are checked before anybody sees them."""

    def __init__(self, name: str, feed: FeedDesign) -> None:
        self.name, self.feed = name, feed
        self.about = str(getattr(feed, "about", "") or (type(feed).__doc__ or "").partition("\n")[0])
        self.watches: tuple[str, ...] = tuple(getattr(feed, "watches", ()))
        self.scorer: str | None = getattr(feed, "scorer", None)
        self.shows_counts = bool(getattr(feed, "shows_counts", True))

    def prepare(self, world: PlatformView, step: int) -> None:
        self.feed.prepare(world, step)

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        """The feed's slates, with empty places to the right where it gave fewer than k. Raises SpecError for posts it was not
        given, more than k, or the same one twice."""
        post = np.asarray(getattr(self.feed.rank(readers, candidates, k, world, streams), "post", None))
        n = len(readers.persona)
        if post.ndim != 2 or len(post) != n or post.dtype.kind not in "iu":
            raise SpecError(f"feed {self.name}: returned {_shape(post)}. Expected Slates of post ids, {n} rows of at most {k}.")
        if post.shape[1] > k:
            raise SpecError(f"feed {self.name}: returned {post.shape[1]} posts for a slate of {k}. Return at most {k}.")
        slate = np.full((n, k), -1, np.int32)
        slate[:, : post.shape[1]] = np.maximum(post, -1)
        self._refuse(slate, ~_given(slate, candidates), "which it was not given (or which the reader cannot see yet)")
        self._refuse(slate, _repeated(slate), "twice in one slate")
        return Slates(slate)

    def _refuse(self, slate: Ints, wrong: np.ndarray, why: str) -> None:
        if wrong.any():
            raise SpecError(f"feed {self.name}: returned post {slate[wrong][0]}, {why}. Rank the candidates, each once.")

    def state(self) -> State:
        return self.feed.state()

    def restore(self, state: State) -> None:
        self.feed.restore(state)


def _given(slate: Ints, candidates: Candidates) -> np.ndarray:
    """Which cells are empty or hold a post that the reader may be shown."""
    own = (slate[:, :, None] == candidates.own[:, None, :]).any(axis=2)
    return np.asarray(own | (slate < 0) | np.isin(status_of(slate, candidates), (0, 1)))


def _repeated(slate: Ints) -> np.ndarray:
    """Which cells hold a post that stands further left already."""
    order = np.argsort(slate, axis=1, kind="stable")
    ranked = np.take_along_axis(slate, order, axis=1)
    again = np.zeros(slate.shape, bool)
    again[:, 1:] = (ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] >= 0)
    out = np.zeros(slate.shape, bool)
    np.put_along_axis(out, order, again, axis=1)
    return out


def _shape(post: np.ndarray) -> str:
    return "nothing that holds posts" if post.ndim == 0 else f"an array of {post.dtype} with shape {post.shape}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or "no reason given"
