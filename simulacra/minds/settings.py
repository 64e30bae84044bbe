"""How a language model takes part in a run: which model, what is left to it, and what writes the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from simulacra.errors import RecordError, SpecError
from simulacra.minds.personapool import PersonaPool
from simulacra.minds.prompts import PROMPT_VERSION
from simulacra.text.models import ModelSpec

if TYPE_CHECKING:
    from simulacra.community import Community
    from simulacra.minds.guided import GuidedMind
    from simulacra.minds.language import LanguageWriter
    from simulacra.minds.memory import Embedder
    from simulacra.seams import Mind, TextGenerator, Writer

Autonomy = Literal["guided", "full"]
AUTONOMIES: tuple[Autonomy, ...] = ("guided", "full")
PASTS = ("model", "sketch")
MINDS = ("sketch", "openai", "local")
MOST_BATCH, MOST_RECALLED = 8, 12
RECALLED = 4
"""Memories told in a prompt where nothing else is asked for."""


@dataclass(frozen=True)
class Language:
    """The language mind of a run, part of its cause. Never holds a key."""

    model: ModelSpec
    autonomy: Autonomy = (
        "guided"  # guided: the behaviour model decides, one call a post; full: the model decides, one call a visit
    )
    past: str = "model"  # who writes the burn-in days: the model, or the sketch mind for nothing
    batch: int = 1  # posts asked for in one call
    memory: int = 0  # memories told in a prompt; 0: none are kept
    pool: PersonaPool | None = None  # what a model made of the sketches; None: the sketches alone
    prompts: int = PROMPT_VERSION

    def __post_init__(self) -> None:
        for what, value, known in (("autonomy", self.autonomy, AUTONOMIES), ("past", self.past, PASTS)):
            if value not in known:
                raise SpecError(f"{what} = {value!r}: expected {' or '.join(known)}.")
        for what, number, low, high in (("batch-briefs", self.batch, 1, MOST_BATCH), ("memory", self.memory, 0, MOST_RECALLED)):
            if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
                raise SpecError(f"{what} = {number!r}: expected a whole number from {low} to {high}.")
        if self.autonomy == "full" and self.model.chats is False:
            raise SpecError(
                f"{self.model.name} only continues pages and cannot decide. Use a model that chats, or autonomy guided."
            )

    @property
    def mind(self) -> str:
        """The mind's name, as RunSpec has it."""
        return self.model.kind

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a cause; `from_cause` gives an equal one."""
        return {
            "model": self.model.to_dict(), "autonomy": self.autonomy, "past": self.past, "batch": self.batch,
            "memory": self.memory, "prompts": self.prompts, "pool": self.pool.to_dict() if self.pool else None,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], where: str) -> Language:
        """The inverse of `to_dict`. Raises RecordError naming `where`."""
        try:
            pool = PersonaPool.from_dict(kept["pool"]) if kept["pool"] else None
            model = ModelSpec.from_dict(kept["model"], where)
            known = {name: kept[name] for name in ("autonomy", "past", "batch", "memory", "prompts")}
            return cls(model, pool=pool, **known)
        except (KeyError, TypeError) as error:
            raise RecordError(f"{where}: the cause's language lacks {error}. Restore the file from a copy.") from error

    def check_playable(self, where: str) -> None:
        """Raise RecordError where prompts have changed since: the run could not go on as it began."""
        if self.prompts != PROMPT_VERSION:
            raise RecordError(
                f"{where}: was begun with prompts of version {self.prompts}, this program asks version {PROMPT_VERSION}. Go on with the "
                "program that began it, or play it anew."
            )


def make_language(
    mind: str = "sketch", model: str | ModelSpec | None = None, base_url: str = "", autonomy: str = "guided", past: str = "model",
    batch: int = 1, memory: int | None = None,
) -> Language | None:  # fmt: skip
    """The language mind that those settings name; None for the sketch mind.

    mind: "sketch", "openai" or "local". model: a name at the server, or a GGUF file's path for "local" (default: the packaged
    one), or a complete ModelSpec. memory: memories told in a prompt, 0 to 12, 0 for a mind that remembers nothing; by default
    4. Raises SpecError for what makes no sense.
    """
    if mind not in MINDS:
        raise SpecError(f"No mind called {mind!r}. Known: {', '.join(MINDS)}.")
    if mind == "sketch":
        given = {
            "model": model,
            "base-url": base_url,
            "autonomy": autonomy != "guided",
            "batch-briefs": batch != 1,
            "memory": memory,
        }
        if wrong := [name for name, value in given.items() if value]:
            raise SpecError(f"--{wrong[0]} is for language minds. Add --mind openai or --mind local.")
        return None
    if isinstance(model, ModelSpec):
        chosen = model
    elif mind == "local":
        chosen = ModelSpec("local", path=model or "", base_url=base_url)
    else:
        chosen = ModelSpec("openai", name=model or "", base_url=base_url)
    if chosen.kind != mind:
        raise SpecError(f"mind {mind!r} was given a model of kind {chosen.kind!r}.")
    return Language(chosen, cast(Autonomy, autonomy), past, batch, RECALLED if memory is None else memory)


def make_writer(
    language: Language, community: Community, generator: TextGenerator, sketch: Writer, kind: type[LanguageWriter] | None = None
) -> LanguageWriter:
    """The writer of one seed. kind: another class of writer than the usual one."""
    from simulacra.minds.language import LanguageWriter
    from simulacra.minds.roles import Roles

    if language.autonomy == "full" and not generator.chats:
        raise SpecError(f"{generator.name} only continues pages and cannot decide. Use a model that chats, or autonomy guided.")
    roles = Roles(community, language.pool)
    made = LanguageWriter if kind is None else kind
    return made(generator, sketch, roles, writes_past=language.past == "model", batch=language.batch)


def mind_maker(language: Language | None) -> Callable[..., Mind]:
    """What makes the mind of an arm, from the arguments of GuidedMind."""
    from simulacra.minds.autonomous import AutonomousMind
    from simulacra.minds.guided import GuidedMind

    made = AutonomousMind if language is not None and language.autonomy == "full" else GuidedMind
    return made if language is None else remembering(made, language)


def remembering(mind: type[GuidedMind], language: Language, embedder: Embedder | None = None) -> Callable[..., Mind]:
    """That mind with the memories that the settings give it. embedder: what tells how near memories are; by default MiniLM."""
    if not language.memory:
        return mind
    from simulacra.minds.remembering import Recollection

    since = -(10**5) if language.past == "model" else 0
    return partial(mind, recollect=partial(Recollection, language.memory, since, embedder))
