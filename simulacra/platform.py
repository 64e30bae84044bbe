"""The platform: posts, votes, ties, what each reader has seen, and who is there. The only place where a run's state changes.

Memory is bounded per persona and per post, and the work of a step depends on the personas who visit and on a pool of recent
posts, never on how many posts were ever written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra.community import Community
from simulacra.events import ACTIONS
from simulacra.hearsay import Heard, Hearsay
from simulacra.persona import OLD_HAND, Population
from simulacra.seams import Bools, Candidates, Drafts, Floats, Ints, Reading, Rulings, State, Turns
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.behaviour import Spells

POOL = 2000
"""Most posts that stand for ranking at any moment."""
POOL_HOURS = 72
"""A post leaves the pool at this age."""
FOLLOWEES = 16
"""Ties that a persona keeps; the oldest gives way."""
RECENT = 4
"""Latest posts of each author that followers can still find outside the pool."""
NOTICES = 4
"""Latest unanswered replies that a persona is told of."""
VOTES = 2**16
"""Most votes that are remembered with who gave them; small communities keep VOTES_EACH a persona."""
VOTES_EACH = 8

_POST_COLUMNS: dict[str, tuple[str, float]] = {
    "author": ("int32", -1), "step": ("int32", 0), "time": ("float32", 0), "parent": ("int32", -1),
    "root": ("int32", -1), "depth": ("int16", 0), "act": ("int8", 0), "topic": ("int8", 0), "memo": ("int64", 0),
    "toxicity": ("float32", 0), "valence": ("float32", 0),
    "truth": ("int8", 0), "stratum": ("int8", 0), "rule": ("int8", 0), "up": ("int32", 0), "down": ("int32", 0),
    "up_far": ("int32", 0), "down_far": ("int32", 0), "reports": ("int32", 0), "reports_far": ("int32", 0),
    "replies": ("int32", 0), "impressions": ("int32", 0), "slot": ("int16", -1),
    "removed": ("int32", -1), "hidden": ("bool", 0), "label": ("int8", 0), "appeal": ("float32", 0), "across": ("bool", 0),
    "attention": ("float32", 1), "reach": ("float32", 1), "demoted": ("int8", 0), "locked": ("bool", 0),
}  # fmt: skip


class Posts:
    """Every post ever written, as growing columns indexed by post id. `removed` is a step, -1 while it stands; `slot` its place in
    the pool, -1 outside; `hidden` holds a post back until released. `up`, `down` and `reports` count everybody's, `*_far` those of
    readers of the other home group. `attention` is the share of readers who open a post that stands before them (1 unless it is
    collapsed), `reach` the share to whom it is shown at all, `demoted` the places that it loses in a slate; `locked` counts for the
    opening post and closes its thread to replies. `appeal` is how well a post is
    liked beyond what it says, in deviations; `across` says that it answers a member of the other home group."""

    author: Ints
    step: Ints
    time: Floats  # hours, with the minute
    parent: Ints
    root: Ints
    depth: np.ndarray
    act: np.ndarray
    topic: np.ndarray
    memo: np.ndarray
    toxicity: Floats
    valence: Floats
    truth: np.ndarray
    stratum: np.ndarray
    rule: np.ndarray
    up: Ints
    down: Ints
    up_far: Ints
    down_far: Ints
    reports: Ints
    reports_far: Ints
    replies: Ints
    impressions: Ints
    slot: np.ndarray
    removed: Ints
    hidden: Bools
    label: np.ndarray
    appeal: Floats
    across: Bools
    attention: Floats
    reach: Floats
    demoted: np.ndarray
    locked: Bools

    def __init__(self) -> None:
        self.text: list[str] = []
        self._room = 0
        for name, (dtype, _) in _POST_COLUMNS.items():
            setattr(self, name, np.empty(0, dtype))

    def __len__(self) -> int:
        return len(self.text)

    def append(self, texts: list[str], **columns: Any) -> Ints:
        """Add posts; columns not given take their defaults. Returns the new ids."""
        first = len(self.text)
        self.text.extend(texts)
        self._grow(len(self.text))
        ids = np.arange(first, len(self.text), dtype=np.int32)
        for name, (_, default) in _POST_COLUMNS.items():
            getattr(self, name)[first : len(self.text)] = columns.get(name, default)
        return ids

    def _grow(self, size: int) -> None:
        if size <= self._room:
            return
        self._room = max(1024, 2 * size)
        for name, (dtype, default) in _POST_COLUMNS.items():
            wider = np.full(self._room, default, dtype)
            wider[: len(getattr(self, name))] = getattr(self, name)
            setattr(self, name, wider)

    def state(self) -> State:
        packed = {f"posts.{name}": getattr(self, name)[: len(self)].copy() for name in _POST_COLUMNS}
        encoded = [t.encode() for t in self.text]
        packed["posts.text"] = np.frombuffer(b"".join(encoded), np.uint8).copy()
        packed["posts.text_ends"] = np.cumsum([len(e) for e in encoded], dtype=np.int64)
        return packed

    def restore(self, state: State) -> None:
        blob, ends = state["posts.text"].tobytes(), state["posts.text_ends"].tolist()
        self.text = [blob[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
        self._room = len(ends)
        for name, (dtype, _) in _POST_COLUMNS.items():
            setattr(self, name, state[f"posts.{name}"].astype(dtype))


_MEMBER_COLUMNS: dict[str, tuple[str, tuple[int, ...], float]] = {
    "mood": ("float32", (), 0), "swayed": ("float32", (), 0), "satisfaction": ("float32", (), 0), "last_visit": ("int32", (), OLD_HAND),
    "mooded_at": ("int32", (), OLD_HAND), "visits": ("int32", (), 0), "written": ("int32", (), 0), "present": ("bool", (), 0),
    "departed": ("bool", (), 0), "muted_until": ("int32", (), OLD_HAND), "strikes": ("int16", (), 0),
    "credit": ("float32", (), 0), "followees": ("int32", (FOLLOWEES,), -1), "read_up_to": ("int32", (FOLLOWEES,), -1),
    "ties": ("int16", (), 0), "followers": ("int32", (), 0), "recent": ("int32", (RECENT,), -1),
    "notices": ("int32", (NOTICES,), -1), "told": ("int16", (), 0), "reminder": ("float32", (), 0),
    "reminded_until": ("int32", (), OLD_HAND), "spells": ("int32", (), 0), "spell_ends": ("int32", (), OLD_HAND),
    "zeal": ("float32", (), 1),
}  # fmt: skip


class Members:
    """What changes about each persona. `swayed` is the part of its mood that the platform made; `credit` collects votes
    received since the last visit; `told` counts notices ever sent, so the ring `notices` is written in turn, as `ties` does
    for `followees`. `reminder` is how much a persona was reminded of the rules, per hour left until `reminded_until`: it
    fades in a straight line. `spells` counts those that a persona has begun, around (odd) and away (even) in turn, the last of which
    ends at `spell_ends`; `zeal` is the factor of its visits until then."""

    mood: Floats
    swayed: Floats
    satisfaction: Floats
    last_visit: Ints
    mooded_at: Ints
    visits: Ints
    written: Ints
    present: Bools
    departed: Bools
    muted_until: Ints
    strikes: np.ndarray
    credit: Floats
    followees: Ints
    read_up_to: Ints
    ties: np.ndarray
    followers: Ints
    recent: Ints
    notices: Ints
    told: np.ndarray
    reminder: Floats
    reminded_until: Ints
    spells: Ints
    spell_ends: Ints
    zeal: Floats

    def __init__(self, population: Population) -> None:
        for name, (dtype, shape, default) in _MEMBER_COLUMNS.items():
            setattr(self, name, np.full((len(population), *shape), default, dtype))
        self.mood[:] = population.baseline

    def state(self) -> State:
        return {f"members.{name}": getattr(self, name).copy() for name in _MEMBER_COLUMNS}

    def restore(self, state: State) -> None:
        for name in _MEMBER_COLUMNS:
            setattr(self, name, state[f"members.{name}"].copy())


_TELLING = [ACTIONS.index(action) for action in ("remove", "warn", "welcome")]
"""Rulings that can tell a persona the rules."""


def _rows_by_action(rulings: Rulings) -> dict[str, np.ndarray]:
    """Rows of rulings on posts, by action."""
    action = np.where(rulings.post >= 0, rulings.action, -1)
    return {name: np.flatnonzero(action == code) for code, name in enumerate(ACTIONS)}


class Standing(NamedTuple):
    """The posts that stand for ranking."""

    posts: Ints  # [c] post ids, by slot
    slots: np.ndarray  # [c] their places in the pool, ascending
    by_author: np.ndarray  # [c] columns ordered by author
    authors: Ints  # [c] authors in that order


class PlatformView:
    """What feeds, policies and minds may look at (and never write to)."""

    def __init__(self, community: Community, population: Population, topic_vectors: Floats, pool: int = POOL) -> None:
        self.community = community
        self.population = population
        self.topic_vectors = topic_vectors  # [topics, d]
        self.posts = Posts()
        self.members = Members(population)
        self.hearsay = Hearsay(community.news, len(population), community.topics) if community.news else None
        self.pool = np.full(pool, -1, np.int32)  # slot -> post id
        self._standing: Standing | None = None
        self.reported: Ints = np.empty(0, np.int32)  # posts reported in the step that is being played
        self._seen = np.zeros((len(population), (pool + 7) // 8), np.uint8)
        self._votes = np.full((min(VOTES, VOTES_EACH * len(population)), 3), -1, np.int32)
        self._voted = 0

    def recent_votes(self) -> tuple[Ints, Ints, Ints]:
        """The latest votes, in no order: reader, post, vote (1 or -1), at most VOTES_EACH a persona on average."""
        reader, post, vote = self._votes[: min(self._voted, len(self._votes))].T
        return reader, post, vote

    def standing(self) -> Standing:
        """The pool as it stands (computed once between changes)."""
        if self._standing is None:
            slots = np.flatnonzero(self.pool >= 0)
            posts = self.pool[slots]
            by_author = np.argsort(self.posts.author[posts], kind="stable")
            self._standing = Standing(posts, slots, by_author, self.posts.author[posts][by_author])
        return self._standing

    def minute(self, personas: Ints, step: int, streams: Streams) -> Floats:
        """When in the hour each visit happens, [0, 1). Visitors see what was posted at least an hour before they come: steps are
        hours, yet the newest posts differ from minute to minute as they do on a real platform."""
        return streams.uniform("minute", step, personas).astype(np.float32)

    def visible(self, posts: Ints) -> Bools:
        """Whether each post may still be shown."""
        return (self.posts.removed[posts] < 0) & ~self.posts.hidden[posts]

    def unread(self, readers: Ints, posts: Ints) -> Bools:
        """Whether each reader has not yet looked at that post of the pool, and did not write it. (Posts outside the pool are offered
        to followers once only.)"""
        slot = self.posts.slot[posts]
        at = np.maximum(slot, 0)
        looked = (self._seen[readers, at >> 3] >> (at & 7)) & 1
        return ((slot < 0) | (looked == 0)) & (self.posts.author[posts] != readers)

    def reminded(self, personas: Ints, step: int) -> Floats:
        """How much each persona has the rules in mind for having been told of them, >= 0; 0 for those who were not, or long ago."""
        left = np.maximum(self.members.reminded_until[personas] - step, 0)
        return self.members.reminder[personas] * left

    def judge(self, posts: Ints, miss: float, false_alarm: float, streams: Streams, occasion: str = "judge") -> Bools:
        """What a human who looks at each post takes for a violation: the truth, seen with error.

        miss: chance that a violation is let pass; false_alarm: chance that a harmless post is taken for one. occasion: another
        look at the same post errs anew. This is the only way by which a policy learns anything of the truth.
        """
        u = streams.uniform(occasion, self.posts.author[posts], self.posts.step[posts])
        return np.where(self.posts.rule[posts] > 0, u >= miss, u < false_alarm)

    def candidates(self, readers: Ints, minute: Floats, step: int) -> Candidates:
        """What may be ranked for each reader: the pool, and unread posts of those it follows that are not in it."""
        pool = self.standing()
        status = self._status(readers, step + minute, step, pool)
        followees = self.members.followees[readers]
        return Candidates(pool.posts, self._unread(readers, followees, step), status, self._ties(followees, pool))

    @staticmethod
    def _ties(followees: Ints, pool: Standing) -> Bools:
        """Which posts of the pool are by authors that each reader follows [n, c]."""
        n, width = followees.shape
        tie = np.zeros((n, len(pool.posts)), bool)
        asked = followees.ravel()
        first = np.searchsorted(pool.authors, asked)
        count = np.where(asked >= 0, np.searchsorted(pool.authors, asked, side="right") - first, 0)
        found = np.repeat(np.arange(len(asked)), count)
        nth = np.arange(len(found)) - np.repeat(np.cumsum(count) - count, count)
        tie[found // width, pool.by_author[first[found] + nth]] = True
        return tie

    def _status(self, readers: Ints, now: Floats, step: int, pool: Standing) -> np.ndarray:
        posts, slots = pool.posts, pool.slots
        bits = np.unpackbits(self._seen[readers], axis=1, bitorder="little").view(np.int8)
        dense = len(slots) and slots[-1] == len(slots) - 1
        status = bits[:, : len(slots)] if dense else bits.take(slots, axis=1)
        recent = np.flatnonzero(self.posts.step[posts] == step - 1)
        status[:, recent] = np.where(self.posts.time[posts[recent]] + 1 > now[:, None], 2, status[:, recent])
        return status

    def _unread(self, readers: Ints, followees: Ints, step: int) -> Ints:
        """Followed authors' latest posts outside the pool that are newer than the newest one read, packed to the left."""
        newest_read = self.members.read_up_to[readers][:, :, None]
        found = np.where((followees >= 0)[:, :, None], self.members.recent[followees], -1)
        rows = np.nonzero(found > newest_read)
        post = found[rows]
        fresh = (
            (self.posts.slot[post] < 0) & self.visible(post) & (self.posts.step[post] < step - 1) if len(post) else post >= 0
        )
        row, post = rows[0][fresh], post[fresh]
        count = np.bincount(row, minlength=len(readers))
        own = np.full((len(readers), int(count.max(initial=0))), -1, np.int32)
        own[row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)] = post
        return own


class Platform(PlatformView):
    """The platform with the methods that change it; the simulation alone calls them."""

    def arrive(self, personas: Ints, step: int) -> Ints:
        """Those people open the app: takes note of it and returns the notices waiting for each ([n, NOTICES], -1 empty)."""
        members = self.members
        waiting = members.notices[personas]
        if len(self.posts):
            waiting = np.where((waiting >= 0) & self.visible(np.maximum(waiting, 0)), waiting, -1)
        members.notices[personas] = -1
        members.last_visit[personas] = step
        members.visits[personas] += 1
        return waiting

    def welcome(self, step: int) -> None:
        """Newcomers whose day has come are present from now on."""
        members = self.members
        members.present = (self.population.arrival <= step) & ~members.departed

    def turn_spells(self, new: Spells) -> None:
        """Spells of being around or away begin."""
        members, who = self.members, new.persona
        members.spells[who], members.spell_ends[who], members.zeal[who] = new.begun, new.ends, new.zeal

    def look(self, turns: Turns) -> None:
        """Take note of impressions and reactions."""
        posts, members, reading = self.posts, self.members, turns.reading
        seen, reader = reading.post, reading.reader
        np.add.at(posts.impressions, seen, 1)
        slot = posts.slot[seen]
        inside, outside = slot >= 0, slot < 0
        at = slot[inside]
        np.bitwise_or.at(self._seen, (reader[inside], at >> 3), np.left_shift(1, at & 7).astype(np.uint8))
        if outside.any():
            who, post = reader[outside], seen[outside]
            hit, column = np.nonzero(members.followees[who] == posts.author[post][:, None])
            np.maximum.at(members.read_up_to, (who[hit], column), post[hit])
        self._count_votes(reading, turns.reaction)
        np.add.at(members.credit, posts.author[seen], turns.reaction.astype(np.float32))
        np.add.at(posts.reports, seen[turns.reported], 1)
        np.add.at(posts.reports_far, seen[turns.reported & reading.camp], 1)
        self.reported = np.unique(seen[turns.reported])

    def _count_votes(self, reading: Reading, vote: np.ndarray) -> None:
        """Into the posts' tallies, and into the ring of votes that are remembered with who gave them."""
        posts = self.posts
        for value, everybody, far in ((1, posts.up, posts.up_far), (-1, posts.down, posts.down_far)):
            np.add.at(everybody, reading.post[vote == value], 1)
            np.add.at(far, reading.post[(vote == value) & reading.camp], 1)
        rows = np.flatnonzero(vote)[-len(self._votes) :]
        place = (self._voted + np.arange(len(rows))) % len(self._votes)
        self._votes[place] = np.column_stack([reading.reader[rows], reading.post[rows], vote[rows]])
        self._voted += len(rows)

    def publish(self, drafts: Drafts, minute: Floats, appeal: Floats | float = 0.0) -> Ints:
        """The drafts become posts, in order; their parents' authors are told. minute: [m] when in the hour; appeal: [m] as
        `behaviour.appeal`. Returns the new ids."""
        brief, posts, members = drafts.brief, self.posts, self.members
        first = len(posts)
        parent = brief.parent
        opens = parent < 0
        up = np.where(opens, 0, parent)
        own = np.arange(first, first + len(parent), dtype=np.int32)
        root = np.where(opens, own, posts.root[up]) if first else own
        depth = np.where(opens, 0, posts.depth[up] + 1) if first else np.zeros(len(parent))
        group = self.population.group
        across = ~opens & (group[brief.author] != group[posts.author[up]]) if first else np.zeros(len(parent), bool)
        ids = posts.append(
            drafts.writing.text, author=brief.author, step=brief.step, time=brief.step + minute, parent=parent, root=root, depth=depth,
            act=brief.act, topic=brief.topic, memo=drafts.writing.memo, toxicity=drafts.scores.toxicity, valence=drafts.scores.valence,
            truth=brief.truth, stratum=drafts.writing.stratum, rule=drafts.rule,
            appeal=appeal, across=across,
        )  # fmt: skip
        members.written[brief.author] += 1
        members.recent[brief.author] = np.column_stack([ids, members.recent[brief.author][:, :-1]])
        replies = np.flatnonzero(~opens)
        np.add.at(posts.replies, parent[replies], 1)
        self._tell(posts.author[parent[replies]], ids[replies], brief.author[replies])
        return ids

    def tell_openers(self, ids: Ints) -> None:
        """Those who opened the threads of these replies are told of them."""
        author = self.posts.author
        self._tell(author[self.posts.root[ids]], ids, author[ids])

    def _tell(self, whom: Ints, of: Ints, by: Ints) -> None:
        whom, of = whom[whom != by], of[whom != by]
        order = np.argsort(whom, kind="stable")
        whom, of = whom[order], of[order]
        nth = np.arange(len(whom)) - np.searchsorted(whom, whom)  # several replies to one persona in one step
        members = self.members
        members.notices[whom, (members.told[whom] + nth) % NOTICES] = of
        np.add.at(members.told, whom, 1)

    def rule(self, rulings: Rulings, step: int) -> None:
        """Carry out decisions on posts and on personas."""
        self._rule_on_posts(rulings, step)
        members, action = self.members, rulings.action
        for name, until in (("mute", rulings.until), ("unmute", np.full_like(rulings.until, step))):
            rows = action == ACTIONS.index(name)
            members.muted_until[rulings.author[rows]] = until[rows]
        self._remind(rulings, step)
        self.depart(rulings.author[action == ACTIONS.index("ban")])

    def _rule_on_posts(self, rulings: Rulings, step: int) -> None:
        posts, rows_of = self.posts, _rows_by_action(rulings)
        of = {name: rulings.post[rows] for name, rows in rows_of.items()}
        posts.removed[of["remove"]] = step
        posts.removed[of["restore"]] = -1
        posts.hidden[of["hold"]] = True
        posts.hidden[of["release"]] = False
        posts.label[of["label"]] = 1
        posts.locked[of["lock"]] = True
        posts.attention[of["expand"]] = 1
        for name, column in (("collapse", posts.attention), ("limit", posts.reach), ("demote", posts.demoted)):
            column[of[name]] = rulings.strength[rows_of[name]]
        self._leave_pool(np.concatenate([of["remove"], of["hold"]]))
        self._enter_pool(np.concatenate([of["release"], of["restore"]]))
        np.add.at(self.members.strikes, posts.author[of["remove"]], 1)
        np.add.at(self.members.strikes, posts.author[of["restore"]], -1)

    def _remind(self, rulings: Rulings, step: int) -> None:
        """Who is told of the rules has them in mind until the memory has faded; a stronger memory is not replaced by a weaker one."""
        rows = np.flatnonzero((rulings.strength > 0) & np.isin(rulings.action, _TELLING))
        rows = rows[rulings.strength[rows] > self.reminded(rulings.author[rows], step)]
        who, until = rulings.author[rows], rulings.until[rows]
        self.members.reminder[who] = rulings.strength[rows] / np.maximum(until - step, 1)
        self.members.reminded_until[who] = until

    def depart(self, personas: Ints) -> None:
        """They leave for good."""
        self.members.departed[personas] = True
        self.members.present[personas] = False

    def follow(self, follower: Ints, followee: Ints) -> Bools:
        """New ties; existing ones and oneself are passed over, the oldest gives way. One new tie a persona and call: rows must name
        each follower once. Returns which rows became ties."""
        members = self.members
        new = (follower != followee) & ~(members.followees[follower] == followee[:, None]).any(axis=1)
        who, whom = follower[new], followee[new]
        place = members.ties[who] % FOLLOWEES
        lost = members.followees[who, place]
        np.add.at(members.followers, lost[lost >= 0], -1)
        members.followees[who, place] = whom
        members.read_up_to[who, place] = -1
        members.ties[who] += 1
        np.add.at(members.followers, whom, 1)
        return new

    # -- news --

    def seed_news(self, item: int, personas: Ints, step: int) -> None:
        """Those personas know the item first."""
        assert self.hearsay is not None
        self.hearsay.seed(item, personas, step)

    def hear(self, heard: Heard) -> None:
        """Readers have learnt of news."""
        assert self.hearsay is not None
        self.hearsay.take_in(heard)

    def speak(self, ids: Ints, drafts: Drafts) -> Ints:
        """Take note of which new posts speak of news; returns the rows of the drafts that do."""
        brief = drafts.brief
        if self.hearsay is None or brief.news is None or brief.saying is None:
            return np.zeros(0, np.int32)
        return self.hearsay.note(ids, brief.author, brief.news, brief.saying)

    # -- the pool --

    def turn_pool(self, new: Ints, step: int, streams: Streams) -> None:
        """Let posts of this step in and old ones out. When there are more than fit, six tenths of the places go to the newest, three
        to those most liked and discussed, one to chance, whatever the feed design: candidates are no feed's privilege."""
        posts, standing = self.posts, self.standing().posts
        everyone = np.union1d(standing, new[self.visible(new)] if len(new) else new)
        young = everyone[posts.step[everyone] > step - POOL_HOURS]
        stay = young if len(young) <= len(self.pool) else self._best(young, streams)
        self._leave_pool(np.setdiff1d(standing, stay, assume_unique=True))
        self._enter_pool(np.setdiff1d(stay, standing, assume_unique=True))

    def _best(self, young: Ints, streams: Streams) -> Ints:
        posts, room = self.posts, len(self.pool)
        newest = young[-(6 * room // 10) :]
        older = young[: len(young) - len(newest)]
        liked = posts.up[older] - posts.down[older] + 2 * posts.replies[older]
        order = np.lexsort((older, liked))[::-1]
        top, rest = older[order[: 3 * room // 10]], older[order[3 * room // 10 :]]
        luck = streams.uniform("pool", posts.author[rest], posts.step[rest])
        lucky = rest[np.argsort(luck)[: room - len(newest) - len(top)]]
        return np.sort(np.concatenate([newest, top, lucky]))

    def _leave_pool(self, leaving: Ints) -> None:
        slots = self.posts.slot[leaving]
        slots = slots[slots >= 0]
        if not len(slots):
            return
        self._standing = None
        self.posts.slot[self.pool[slots]] = -1
        self.pool[slots] = -1
        keep = np.ones(8 * self._seen.shape[1], np.uint8)
        keep[slots] = 0
        self._seen &= np.packbits(keep, bitorder="little")

    def _enter_pool(self, entering: Ints) -> None:
        if not len(entering):
            return
        self._standing = None
        free = np.flatnonzero(self.pool < 0)[: len(entering)]
        entering = entering[: len(free)]
        self.pool[free] = entering
        self.posts.slot[entering] = free

    # -- checkpoint --

    def state(self) -> State:
        own: State = {
            "platform.pool": self.pool.copy(), "platform.seen": self._seen.copy(), "platform.votes": self._votes.copy(),
            "platform.voted": np.array([self._voted]),
        }  # fmt: skip
        if self.hearsay is not None:
            own |= {f"news.{name}": value for name, value in self.hearsay.state().items()}
        return own | self.posts.state() | self.members.state()

    def restore(self, state: State) -> None:
        self.pool, self._seen, self._standing = state["platform.pool"].copy(), state["platform.seen"].copy(), None
        self._votes, self._voted = state["platform.votes"].copy(), int(state["platform.voted"][0])
        self.posts.restore(state)
        self.members.restore(state)
        if self.hearsay is not None and "news.names" in state:
            self.hearsay.restore({k.removeprefix("news."): v for k, v in state.items() if k.startswith("news.")})
