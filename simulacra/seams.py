"""The seams of the program: what passes between feeds, moderation, minds, writers, scorers and the record.

Every seam takes a batch: a struct of arrays with one row a visit, draft or post. Feeds and policies are pure given what
`prepare` learnt. Nothing here knows how anything is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulacra.platform import PlatformView
    from simulacra.streams import Streams

Ints = NDArray[np.int32]
Bytes = NDArray[np.int8]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Lines = NDArray[np.object_]
"""[m] tuples of lines of text, one a row."""
State = dict[str, NDArray[Any]]
"""The complete state of a part as named arrays; `restore(state())` changes nothing."""


# -- reading ---------------------------------------------------------------------------------------------------------------


class Readers(NamedTuple):
    """A batch of personas about to be shown a slate."""

    persona: Ints  # [n]
    taste: Floats  # [n, d] what they like, in the space of post vectors
    group: Bytes  # [n] home group
    step: int


class Candidates(NamedTuple):
    """Posts that may be ranked: a pool that all readers share, and each reader's own (posts of those it follows, not in the pool)."""

    pool: Ints  # [c] post ids, each once
    own: Ints  # [n, m] post ids, -1 empty
    status: Bytes  # [n, c] 0 unread, 1 looked at before, 2 not there yet when the reader comes
    tie: Bools  # [n, c] pool posts whose author the reader follows (own posts: always)


class Slates(NamedTuple):
    """What each reader is offered, best first."""

    post: Ints  # [n, k] post ids, -1 empty


class Exposure(Protocol):
    """Stands between rank and slate: an experiment inside a run, of which no feed design has to know."""

    def keep(self, posts: Ints, persona: Ints, world: PlatformView, streams: Streams) -> Bools:
        """Which of the ranked posts [n, k] each reader is shown; what is left moves up."""


class FeedDesign(Protocol):
    """Ranks candidates for readers."""

    def prepare(self, world: PlatformView, step: int) -> None:
        """Learn from the platform once a step (tallies, a fitted factorisation)."""

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        """Pure, total (any candidates, any k), every post at most once, only posts it was given."""

    def state(self) -> State: ...
    def restore(self, state: State) -> None: ...


# -- writing ---------------------------------------------------------------------------------------------------------------


class Briefs(NamedTuple):
    """What a mind asks a writer to write, one row a post. (author, step) identifies a row in every random draw."""

    author: Ints  # [m] persona ids
    step: int
    act: Bytes  # [m] index into events.ACTS
    topic: Bytes  # [m] index into the community's topics
    mood: Floats  # [m] [-1, 1]
    parent: Ints  # [m] post id, -1 opens a thread
    truth: Bytes  # [m] index into events.KINDS: which rule kind the post is to break, 0 none
    revision: int = 0  # 0 first version; n: the author thought again n times and writes it milder
    news: Bytes | None = None  # [m] which item of news the post is to speak of, -1 none; None: no draft speaks of any
    saying: Bytes | None = None  # [m] what it is to say of it, index into events.SAYINGS
    memory: Lines | None = None  # [m] what comes to the author's mind; None: nobody remembers anything
    plans: Lines | None = None  # [m] what the author means to do

    def take(self, rows: Any) -> Briefs:
        """Those rows of the batch."""
        rest: Any = (x if x is None or isinstance(x, int) else x[rows] for x in self)
        return Briefs(*rest)


class Writing(NamedTuple):
    """What came back, in the order of the briefs."""

    text: list[str]  # [m] "" exactly where failure says why
    memo: NDArray[np.int64]  # [m] the writer's own note of what the post is about, kept with the post for those who reply
    stratum: Bytes  # [m] index into events.STRATA
    failure: Mapping[int, str] = {}  # row -> reason


class Writer(Protocol):
    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing: ...


class Musing(NamedTuple):
    """A persona that is about to reflect, and on what."""

    persona: int
    memories: tuple[str, ...]


class Thought(NamedTuple):
    """What came of a reflection."""

    insights: tuple[str, ...]
    failure: str = ""  # why there is none


@runtime_checkable
class Thinker(Protocol):
    """A writer that can draw conclusions as well."""

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """One a musing."""


class Scores(NamedTuple):
    """What a scorer read in the words, one row a text."""

    toxicity: Floats  # [m] [0, 1]
    valence: Floats  # [m] [-1, 1]
    positive: Floats  # [m] share of words, [0, 1]
    negative: Floats  # [m] share of words, [0, 1]
    words: NDArray[np.int16]  # [m]


class Scorer(Protocol):
    name: str

    def score(self, texts: Sequence[str]) -> Scores: ...


class Drafts(NamedTuple):
    """Written, scored, not yet posted."""

    brief: Briefs
    writing: Writing
    scores: Scores
    rule: Bytes  # [m] number of the community's rule that is broken, from 1; 0 none
    removed: Bools | None = None  # [m] an earlier lever takes it down as soon as it is posted; None: no lever has acted

    def take(self, rows: Any) -> Drafts:
        """Those rows of the batch."""
        w = self.writing
        writing = Writing([w.text[i] for i in rows], w.memo[rows], w.stratum[rows])
        scores = Scores(*(column[rows] for column in self.scores))
        return Drafts(
            self.brief.take(rows), writing, scores, self.rule[rows], None if self.removed is None else self.removed[rows]
        )


class Visits(NamedTuple):
    """Everyone who opens the app in this step, and what each is shown: replies to what they wrote or opened, then the slate."""

    persona: Ints  # [n]
    slate: Ints  # [n, k] post ids, best first, -1 empty
    notices: Ints  # [n, q] posts that answered theirs, or in threads of theirs, since the last visit, -1 empty
    step: int


class Reading(NamedTuple):
    """Impressions of a step, flat, one row a post that a visitor looked at, and what bears on what the reader makes of it."""

    visit: Ints  # [s] row of the visit
    reader: Ints  # [s] persona
    post: Ints  # [s]
    position: Bytes  # [s] place in the slate, or among the notices
    source: Bytes  # [s] index into events.SOURCES
    fresh: Bools  # [s] not looked at before, not the reader's own
    affinity: Floats  # [s] cosine of taste and topic
    tie: Bools  # [s] the reader follows the author
    camp: Bools  # [s] the author belongs to the other home group


class Thoughts(NamedTuple):
    """What came of reflections, one row a thought; whoever was asked in vain has one row with the reason."""

    persona: Ints  # [t]
    text: list[str]  # [t] "" where failure says why
    failure: list[str]  # [t]


class Turns(NamedTuple):
    """What came of the visits."""

    looked: Bytes  # [n] how many of the slate were looked at, from the top
    reading: Reading  # [s]
    reaction: Bytes  # [s] 0 none, 1 up, -1 down
    reported: Bools  # [s]
    writer: Ints  # [m] visit index of each draft, ascending
    briefs: Briefs  # [m]
    writing: Writing  # [m]
    mood: Floats  # [n] the visitor's mood after reading
    swayed: Floats  # [n] how much of it reading and being answered have made
    thoughts: Thoughts | None = None  # what some came to think; None: nobody reflected


class Mind(Protocol):
    """Decides and writes for personas, one call a step."""

    def take_turns(self, visits: Visits, world: PlatformView, streams: Streams) -> Turns: ...
    def rewrite(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing: ...
    def state(self) -> State: ...
    def restore(self, state: State) -> None: ...


# -- asking a language model -----------------------------------------------------------------------------------------------


class Prompt(NamedTuple):
    """One question to a language model, complete: equal prompts with an equal `repeat` have one stored answer."""

    system: str  # what the model is told to do, the same for many prompts and therefore first; "" for a page to be continued
    user: str  # what this one is about; for a model that only continues pages, the whole page
    max_tokens: int = 120
    temperature: float = 0.9
    seed: int = 0  # of the sampling: a hash of who writes when and in which version, never of a post id
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None  # JSON schema that the answer is to follow
    repeat: int = 0  # asking again on purpose for another answer to the same question


class Answer(NamedTuple):
    """What came of a prompt."""

    text: str  # "" exactly where failure says why
    failure: str = ""  # "refused", "timeout", "empty" ...: one word or a short line, never shown as content
    input_tokens: int = 0  # over all calls that this answer took
    output_tokens: int = 0
    calls: int = 0  # requests made for it, retries counted; 0 for a stored answer


class TextGenerator(Protocol):
    """A language model behind one address or in this process. Answers come in the order of the prompts, whatever order they were
    computed in; nothing is raised for what a model or a network does wrong, only for what stops a run (`Capped`, a missing key)."""

    @property
    def name(self) -> str:
        """The model, as run.json names it."""

    @property
    def chats(self) -> bool:
        """False: a base model, which continues a page and knows no roles."""

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        """fault: what is wrong with a text ("" nothing), so that it is asked for again within bounds before it counts as failed."""


# -- moderating ------------------------------------------------------------------------------------------------------------


class Rulings(NamedTuple):
    """Decisions of one policy. Rows on drafts name them by `draft`, rows on posts by `post`, rows on personas by neither."""

    draft: Ints  # [r] row of the drafts that were judged, -1
    post: Ints  # [r] post id, -1
    author: Ints  # [r]
    action: Bytes  # [r] index into events.ACTIONS
    rule: Bytes  # [r]
    minutes: Floats  # [r] moderator minutes
    until: Ints  # [r] step at which a mute, or an author's memory of being told, ends; -1
    strength: Floats  # [r] what the action needs: chance to be opened or shown, places lost, how much rules come to mind; 0
    reason: list[str]  # [r]


class Assessment(NamedTuple):
    """What somebody who knows the community's rules says of a draft."""

    rule: int  # number of the rule that it breaks, from 1; 0 it breaks none
    why: str = ""  # what its author is told
    failure: str = ""  # why there is no assessment; rule is 0 then


class Assessor(Protocol):
    """Tells which of the community's own rules a draft breaks, as a language model does. It is not told the draft's truth."""

    def assess(self, drafts: Drafts, world: PlatformView, streams: Streams, batch: int) -> list[Assessment]:
        """One a draft. batch: drafts that may be put in one question."""


class ModerationDesign(Protocol):
    """One lever of moderation; a run holds a list of them, applied in order."""

    name: str
    compliance: float  # how much it makes personas mind the rules while it is on (visibility), >= 0; 0 leaves them alone
    spare: int  # posts to rank beyond a slate, for those that it takes out of sight or moves down

    def wire(self, assessor: Assessor | None) -> None:
        """Once, before anything else: whoever can be asked about rules; None for the sketch mind."""

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        """Friction and filters before posting: refuse, hold, cancel, revise, or remove at once."""

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        """Once a step, on what has been posted and reported: remove, label, mute, ban; queues and delays."""

    def state(self) -> State: ...
    def restore(self, state: State) -> None: ...


# -- recording -------------------------------------------------------------------------------------------------------------


class Recorder(Protocol):
    """Takes events; knows nothing of what they mean. Tables and columns are those of events.TABLES."""

    def add(self, table: str, **columns: Any) -> None:
        """Append rows: every column of the table, equally long. Text columns are lists of str, labels are codes."""

    def close_day(self, day: int, state: State) -> None:
        """The day is over: make its rows and this checkpoint durable before returning."""
