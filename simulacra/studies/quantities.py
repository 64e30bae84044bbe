"""What single knobs move, near to where they act: the quantities of the audit that are no measures of a run's report.

A knob is proved live by the quantity that it acts on directly ("replies go to rude posts"), not by one at the end of a long chain
("toxicity rises"), where a small run would drown it. All are means or shares over the measured days, NaN where there is nothing
to count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.diffusion import DIFFUSION, cascade, spread
from simulacra.analysis.measures import MEASURES, Facts, gini
from simulacra.analysis.structure import STRUCTURE
from simulacra.events import ACTIONS, ACTS, KINDS
from simulacra.persona import OLD_HAND
from simulacra.record.frames import Frames
from simulacra.simulation import Simulation

Array = NDArray[Any]

_GLAD, _GRIM = ([ACTS.index(act) for act in acts] for acts in (("thank", "agree", "joke"), ("vent", "disagree")))


class Played:
    """A finished arm: its simulation, which still knows people and ties, and what it recorded."""

    def __init__(self, sim: Simulation, frames: Frames) -> None:
        self.sim, self.frames = sim, frames
        self.world, self.people, self.members = sim.platform, sim.population, sim.platform.members

    def post(self, name: str) -> Array:
        """A column of all posts, burn-in included, by post id."""
        column: Array = getattr(self.world.posts, name)[: len(self.world.posts)]
        return column

    @cached_property
    def facts(self) -> Facts:
        return Facts(self.frames)

    @cached_property
    def new(self) -> Array:
        """Ids of the posts of the measured days."""
        return np.flatnonzero(self.post("step") >= 0)

    @cached_property
    def replies(self) -> Array:
        """Ids of the replies of the measured days."""
        return self.new[self.post("parent")[self.new] >= 0]

    @cached_property
    def seen(self) -> dict[str, Array]:
        """Impressions: step, persona, post."""
        return self._columns("impressions", ["step", "persona", "post"])

    @cached_property
    def fed(self) -> dict[str, Array]:
        """Impressions of the feed, answers to one's own posts left out."""
        told = self.frames.arrow("impressions", columns=["source"])["source"].to_pylist()
        rows = np.array([source == "feed" for source in told], bool)
        return {name: column[rows] for name, column in self.seen.items()}

    @cached_property
    def told(self) -> dict[str, Array]:
        """Impressions of answers to one's own posts."""
        source = self.frames.arrow("impressions", columns=["source"])["source"].to_pylist()
        rows = np.array([s != "feed" for s in source], bool)
        return {name: column[rows] for name, column in self.seen.items()}

    @cached_property
    def visits(self) -> dict[str, Array]:
        return self._columns("visits", ["step", "persona", "wrote"])

    @cached_property
    def votes(self) -> dict[str, Array]:
        """Votes (1 up, -1 down); reports are apart."""
        table = self._columns("reactions", ["step", "persona", "post", "reaction"])
        rows = table["reaction"] != 2
        return {name: column[rows] for name, column in table.items()}

    @cached_property
    def up(self) -> dict[str, Array]:
        rows = self.votes["reaction"] == 1
        return {name: column[rows] for name, column in self.votes.items()}

    @cached_property
    def rulings(self) -> dict[str, Array]:
        return self._columns("rulings", ["step", "post", "author", "until"]) | {
            "action": np.array(
                [ACTIONS.index(a) for a in self.frames.arrow("rulings", columns=["action"])["action"].to_pylist()], np.int64
            )
        }

    def _columns(self, table: str, names: list[str]) -> dict[str, Array]:
        read = self.frames.arrow(table, columns=names)
        return {name: read[name].to_numpy() for name in names}

    def likes(self, persona: Array, post: Array) -> Array:
        """How near each post's topic is to the persona's interests, cosine."""
        vectors = self.world.topic_vectors[self.post("topic")[post]]
        return np.asarray(np.einsum("sd,sd->s", self.sim.taste[persona], vectors))

    def follows(self, persona: Array, other: Array) -> Array:
        return np.asarray((self.members.followees[persona] == other[:, None]).any(axis=1))

    def crosses(self, persona: Array, other: Array) -> Array:
        """Whether the two belong to different home groups."""
        return np.asarray(self.people.group[persona] != self.people.group[other])


Quantity = Callable[[Played], float]


def _of_facts(function: Callable[[Facts], float]) -> Quantity:
    return lambda p: float(function(p.facts))


def _mean(values: Array) -> float:
    return float(np.mean(values, dtype=np.float64)) if len(values) else float("nan")


def _cells(persona: Array, step: Array) -> NDArray[np.int64]:
    return np.asarray(persona, np.int64) << 32 | np.asarray(step, np.int64)


# -- visits ----------------------------------------------------------------------------------------------------------------


def evening_visits(p: Played) -> float:
    """Share of visits between 17 and 24 hours."""
    return _mean(p.visits["step"] % 24 >= 17)


def weekend_visits(p: Played) -> float:
    """Share of visits on Saturdays and Sundays; needs a whole week."""
    return _mean((p.visits["step"] // 24) % 7 >= 5)


def quick_returns(p: Played) -> float:
    """Share of visits that come within four hours after the persona's last one."""
    order = np.lexsort((p.visits["step"], p.visits["persona"]))
    who, step = p.visits["persona"][order], p.visits["step"][order]
    return _mean(np.diff(step)[np.diff(who) == 0] <= 4)


def visitors(p: Played) -> float:
    """Share of all members who came."""
    return len(np.unique(p.visits["persona"])) / len(p.people)


# -- what is shown ---------------------------------------------------------------------------------------------------------


def _shown(column: str) -> Quantity:
    return lambda p: _mean(p.post(column)[p.fed["post"]].astype(np.float64))


def age_shown(p: Played) -> float:
    """Hours since the posts that the feed shows were written."""
    return _mean(p.fed["step"] - p.post("step")[p.fed["post"]])


def votes_shown(p: Played) -> float:
    """Upvotes minus downvotes, at the end, of posts that the feed shows, over those of all posts."""
    net = (p.post("up") - p.post("down")).astype(np.float64)
    return _mean(net[p.fed["post"]]) - _mean(net)


def agreed_shown(p: Played) -> float:
    """Upvotes by the other home group, at the end, of posts that the feed shows, over those of all posts."""
    far = p.post("up_far").astype(np.float64)
    return _mean(far[p.fed["post"]]) - _mean(far)


def replies_shown(p: Played) -> float:
    """Replies, at the end, to posts that the feed shows, over those to all posts."""
    replies = p.post("replies").astype(np.float64)
    return _mean(replies[p.fed["post"]]) - _mean(replies)


def taste_shown(p: Played) -> float:
    """How near what the feed shows is to its reader's interests."""
    return _mean(p.likes(p.fed["persona"], p.fed["post"]))


def followed_shown(p: Played) -> float:
    """Share of what the feed shows that is by authors whom the reader follows."""
    return _mean(p.follows(p.fed["persona"], p.post("author")[p.fed["post"]]))


def other_side_shown(p: Played) -> float:
    """Share of what the feed shows that is by members of the other home group."""
    return _mean(p.crosses(p.fed["persona"], p.post("author")[p.fed["post"]]))


def new_topics_shown(p: Played) -> float:
    """Different topics in a visit, over the posts that it shows."""
    cell = _cells(p.fed["persona"], p.fed["step"])
    topics = len(np.unique(np.column_stack([cell, p.post("topic")[p.fed["post"]].astype(np.int64)]), axis=0))
    return topics / len(cell) if len(cell) else float("nan")


def one_author_shown(p: Played) -> float:
    """Chance that two posts of a visit are by the same author."""
    cell, author = _cells(p.fed["persona"], p.fed["step"]), p.post("author")[p.fed["post"]]
    _, row, size = np.unique(cell, return_inverse=True, return_counts=True)
    pair = row.astype(np.int64) << 32 | author
    _, same = np.unique(pair, return_counts=True)
    pairs = (size * (size - 1)).sum()
    return float((same * (same - 1)).sum() / pairs) if pairs else float("nan")


def unseen_posts(p: Played) -> float:
    """Share of posts that nobody looked at."""
    return _mean(p.post("impressions")[p.new] == 0)


# -- votes and reports -----------------------------------------------------------------------------------------------------


def voted_taste(p: Played) -> float:
    """How near upvoted posts are to their voters' interests, over what was read."""
    return _mean(p.likes(p.up["persona"], p.up["post"])) - _mean(p.likes(p.seen["persona"], p.seen["post"]))


def _voted(column: str) -> Quantity:
    return lambda p: _mean(p.post(column)[p.up["post"]]) - _mean(p.post(column)[p.seen["post"]])


def voted_followed(p: Played) -> float:
    """Share of upvotes for authors whom the voter follows, over what was read."""
    author = p.post("author")
    read = _mean(p.follows(p.seen["persona"], author[p.seen["post"]]))
    return _mean(p.follows(p.up["persona"], author[p.up["post"]])) - read


def voted_across(p: Played) -> float:
    """Share of upvotes for the other home group, over what was read."""
    author = p.post("author")
    read = _mean(p.crosses(p.seen["persona"], author[p.seen["post"]]))
    return _mean(p.crosses(p.up["persona"], author[p.up["post"]])) - read


def labelled_read(p: Played) -> float:
    """Readings of posts per 100 that stood before their reader with a note."""
    return 100 * _mean(_labelled(p, p.seen["post"], p.seen["step"]))


def labelled_votes(p: Played) -> float:
    """Upvotes per reading of posts with a note."""
    read = _labelled(p, p.seen["post"], p.seen["step"]).sum()
    return float(_labelled(p, p.up["post"], p.up["step"]).sum() / read) if read else float("nan")


def labelled_replies(p: Played) -> float:
    """Replies per reading of posts with a note."""
    read = _labelled(p, p.seen["post"], p.seen["step"]).sum()
    found = _labelled(p, p.post("parent")[p.replies], p.post("step")[p.replies])
    return float(found.sum() / read) if read else float("nan")


def _labelled(p: Played, post: Array, step: Array) -> Array:
    """Whether each post had its note by then."""
    rows = p.rulings["action"] == ACTIONS.index("label")
    since = np.full(len(p.world.posts), 10**6)
    since[p.rulings["post"][rows]] = p.rulings["step"][rows]
    return np.asarray(step > since[post])


# -- writing ---------------------------------------------------------------------------------------------------------------


def writers_arousal(p: Played) -> float:
    """How emotional (|valence|) the reading of visits that wrote was, over that of all visits."""
    cell, row = np.unique(_cells(p.seen["persona"], p.seen["step"]), return_inverse=True)
    arousal = np.bincount(row, np.abs(p.post("valence"))[p.seen["post"]]) / np.bincount(row)
    wrote = np.isin(cell, _cells(p.visits["persona"], p.visits["step"])[p.visits["wrote"].astype(bool)])
    return _mean(arousal[wrote]) - _mean(arousal)


def writers_provocation(p: Played) -> float:
    """Toxicity of the rudest post of visits that wrote, over that of all visits."""
    cell, row = np.unique(_cells(p.seen["persona"], p.seen["step"]), return_inverse=True)
    rudest = np.zeros(len(cell))
    np.maximum.at(rudest, row, p.post("toxicity")[p.seen["post"]])
    wrote = np.isin(cell, _cells(p.visits["persona"], p.visits["step"])[p.visits["wrote"].astype(bool)])
    return _mean(rudest[wrote]) - _mean(rudest)


def openings(p: Played) -> float:
    """Share of posts that open a thread."""
    return _mean(p.post("parent")[p.new] < 0)


def write_after_answer(p: Played) -> float:
    """Share of visits with a waiting answer that wrote, over the share of all visits."""
    told = np.isin(_cells(p.visits["persona"], p.visits["step"]), _cells(p.told["persona"], p.told["step"]))
    wrote = p.visits["wrote"].astype(bool)
    return _mean(wrote[told]) - _mean(wrote)


def answers_answered(p: Played) -> float:
    """Share of what is written in visits with a waiting answer that replies to an answer."""
    author, step, parent = (p.post(c)[p.new] for c in ("author", "step", "parent"))
    told = np.isin(_cells(author, step), _cells(p.told["persona"], p.told["step"]))
    grand = p.post("parent")[np.maximum(parent, 0)]
    back = (parent >= 0) & (grand >= 0) & (p.post("author")[np.maximum(grand, 0)] == author)
    return _mean(back[told])


def answered_taste(p: Played) -> float:
    """How near the posts that people answer are to their interests, over what was read."""
    author, parent = p.post("author")[p.replies], p.post("parent")[p.replies]
    return _mean(p.likes(author, parent)) - _mean(p.likes(p.seen["persona"], p.seen["post"]))


def questions_answered(p: Played) -> float:
    """Share of questions that open a thread and have a reply, over that of other threads."""
    opened = p.new[p.post("parent")[p.new] < 0]
    replied, asks = p.post("replies")[opened] > 0, p.post("act")[opened] == ACTS.index("ask")
    return _mean(replied[asks]) - _mean(replied[~asks])


def answered_toxicity(p: Played) -> float:
    """Toxicity of the posts that are answered, over what was read."""
    toxicity = p.post("toxicity")
    return _mean(toxicity[p.post("parent")[p.replies]]) - _mean(toxicity[p.seen["post"]])


def answered_valence(p: Played) -> float:
    """Valence of the posts that are answered, over what was read."""
    valence = p.post("valence")
    return _mean(valence[p.post("parent")[p.replies]]) - _mean(valence[p.seen["post"]])


def replies_gini(p: Played) -> float:
    """Inequality of replies per post, over posts that have any."""
    replies = p.post("replies")
    return gini(replies[replies > 0])


def reply_depth(p: Played) -> float:
    """Mean depth of replies, 1 for an answer to an opening post."""
    return _mean(p.post("depth")[p.replies].astype(np.float64))


def answered_followed(p: Played) -> float:
    """Share of replies to authors whom the writer follows."""
    return _mean(p.follows(p.post("author")[p.replies], p.post("author")[p.post("parent")[p.replies]]))


def answered_age(p: Played) -> float:
    """Hours between a reply and the post it answers."""
    return _mean((p.post("step")[p.replies] - p.post("step")[p.post("parent")[p.replies]]).astype(np.float64))


def glad_acts(p: Played) -> float:
    """Mood of those who thank, agree or joke, minus that of those who vent or disagree."""
    act = p.frames.arrow("posts", columns=["act", "mood"])
    code, mood = np.array([ACTS.index(a) for a in act["act"].to_pylist()], np.int64), act["mood"].to_numpy()
    return _mean(mood[np.isin(code, _GLAD)]) - _mean(mood[np.isin(code, _GRIM)])


def contradiction(p: Played) -> float:
    """Share of replies to the other home group that disagree, over the share of those within."""
    author, parent = p.post("author"), p.post("parent")[p.replies]
    across = p.crosses(author[p.replies], author[parent])
    disagrees = p.post("act")[p.replies] == ACTS.index("disagree")
    return _mean(disagrees[across]) - _mean(disagrees[~across])


def topic_drift(p: Played) -> float:
    """Share of replies on another topic than their parent's."""
    return _mean(p.post("topic")[p.replies] != p.post("topic")[p.post("parent")[p.replies]])


# -- breaking rules --------------------------------------------------------------------------------------------------------


def _kind(kind: str) -> Quantity:
    code = KINDS.index(kind)
    return lambda p: 100 * _mean(p.post("truth")[p.new] == code)


def _offends(p: Played, kind: str) -> Array:
    """[new posts] bool: breaks that kind of rule, whether or not the community has one."""
    return np.asarray(p.post("truth")[p.new] == KINDS.index(kind))


def _trait(kind: str, trait: str) -> Quantity:
    """Mean of a trait of those who break that kind of rule, minus that of other writers."""

    def difference(p: Played) -> float:
        offends, value = _offends(p, kind), getattr(p.people, trait)[p.post("author")[p.new]].astype(np.float64)
        return _mean(value[offends]) - _mean(value[~offends])

    return difference


def _mood(kind: str) -> Quantity:
    """Mood of those who break that kind of rule, minus that of other writers."""

    def difference(p: Played) -> float:
        offends, mood = _offends(p, kind), p.frames.arrow("posts", columns=["mood"])["mood"].to_numpy()
        return _mean(mood[offends]) - _mean(mood[~offends])

    return difference


def _above(kind: str) -> Quantity:
    """Toxicity of the posts that violations of that kind answer, minus that of those that other replies answer."""

    def difference(p: Played) -> float:
        offends = p.post("truth")[p.replies] == KINDS.index(kind)
        above = p.post("toxicity")[p.post("parent")[p.replies]]
        return _mean(above[offends]) - _mean(above[~offends])

    return difference


def insults_across(p: Played) -> float:
    """Share of replies to the other home group that insult, over the share of those within."""
    across = p.crosses(p.post("author")[p.replies], p.post("author")[p.post("parent")[p.replies]])
    insult = p.post("truth")[p.replies] == KINDS.index("insult")
    return _mean(insult[across]) - _mean(insult[~across])


def insults_in_disputes(p: Played) -> float:
    """Share of answers to contradictions that insult, over the share of other answers."""
    dispute = p.post("act")[p.post("parent")[p.replies]] == ACTS.index("disagree")
    insult = p.post("truth")[p.replies] == KINDS.index("insult")
    return _mean(insult[dispute]) - _mean(insult[~dispute])


def newcomers_violations(p: Played) -> float:
    """Posts by newcomers that break a rule of the community, per 100."""
    rows = p.new[p.people.arrival[p.post("author")[p.new]] > OLD_HAND]
    return 100 * _mean(p.post("rule")[rows] > 0)


def rules_broken(p: Played) -> float:
    """Posts that break a rule of the community, per 100."""
    return 100 * _mean(p.post("rule")[p.new] > 0)


# -- moods, staying, ties --------------------------------------------------------------------------------------------------


def swayed(p: Played) -> float:
    """Mean of what reading, answers and votes have made of moods."""
    return _mean(p.members.swayed[p.members.visits > 0])


def sway(p: Played) -> float:
    """Spread (SD) of what reading, answers and votes have made of moods."""
    return float(np.std(p.members.swayed[p.members.visits > 0]))


def mood_spread(p: Played) -> float:
    """Spread (SD) of moods around the persona's own baseline."""
    here = p.members.visits > 0
    return float(np.std(p.members.mood[here] - p.people.baseline[here]))


def satisfaction(p: Played) -> float:
    """Mean satisfaction of those who have visited."""
    return _mean(p.members.satisfaction[p.members.visits > 0])


def satisfaction_spread(p: Played) -> float:
    """Spread (SD) of satisfaction."""
    return float(np.std(p.members.satisfaction[p.members.visits > 0]))


def newcomers_gone(p: Played) -> float:
    """Share of newcomers who have visited and left for good."""
    rows = (p.people.arrival > OLD_HAND) & (p.members.visits > 0)
    return _mean(p.members.departed[rows])


def newcomers_here(p: Played) -> float:
    """Newcomers who have come, over all personas."""
    return _mean((p.people.arrival > OLD_HAND) & (p.members.visits > 0))


def new_ties(p: Played) -> float:
    """Ties made in the measured days, per persona."""
    return len(p.frames.arrow("follows", columns=["step"])) / len(p.people)


def ties(p: Played) -> float:
    """Ties per persona at the end."""
    return _mean(p.members.ties.astype(np.float64))


def ties_within(p: Played) -> float:
    """Share of ties within the home group."""
    follower, place = np.nonzero(p.members.followees >= 0)
    return 1 - _mean(p.crosses(follower, p.members.followees[follower, place]))


# -- moderation ------------------------------------------------------------------------------------------------------------


def _rulings(*actions: str) -> Quantity:
    codes = [ACTIONS.index(action) for action in actions]
    return lambda p: float(np.isin(p.rulings["action"], codes).sum())


def hours_to_ruling(p: Played) -> float:
    """Hours between a post and the moderator's decision on it."""
    rows = (p.rulings["post"] >= 0) & np.isin(
        p.rulings["action"], [ACTIONS.index(a) for a in ("remove", "keep", "release", "restore", "label")]
    )
    return _mean((p.rulings["step"][rows] - p.post("step")[p.rulings["post"][rows]]).astype(np.float64))


def hours_muted(p: Played) -> float:
    """Hours for which members are muted, sum over mutes."""
    rows = p.rulings["action"] == ACTIONS.index("mute")
    return float((p.rulings["until"][rows] - p.rulings["step"][rows]).sum())


def collapsed_read(p: Played) -> float:
    """Readings of collapsed posts, per collapsed post."""
    rows = p.rulings["post"][p.rulings["action"] == ACTIONS.index("collapse")]
    return _mean(p.post("impressions")[np.unique(rows)].astype(np.float64))


def limited_read(p: Played) -> float:
    """Readings of posts of limited reach, per such post."""
    rows = p.rulings["post"][p.rulings["action"] == ACTIONS.index("limit")]
    return _mean(p.post("impressions")[np.unique(rows)].astype(np.float64))


def reworded(p: Played) -> float:
    """Prompted drafts that were reworded to no effect, a count."""
    return float(sum(reason == "reworded" for reason in p.frames.arrow("rulings", columns=["reason"])["reason"].to_pylist()))


def again_after_removal(p: Played) -> float:
    """Posts by authors who have had one removed before that break a rule, per 100."""
    gone = p.rulings["action"] == ACTIONS.index("remove")
    first = np.full(len(p.people), 10**6)
    np.minimum.at(first, p.rulings["author"][gone], p.rulings["step"][gone])
    later = p.new[p.post("step")[p.new] > first[p.post("author")[p.new]]]
    return 100 * _mean(p.post("rule")[later] > 0)


def again_after_warning(p: Played) -> float:
    """Posts by authors who have been warned before that break a rule, per 100."""
    warned = p.rulings["action"] == ACTIONS.index("warn")
    first = np.full(len(p.people), 10**6)
    np.minimum.at(first, p.rulings["author"][warned], p.rulings["step"][warned])
    later = p.new[p.post("step")[p.new] > first[p.post("author")[p.new]]]
    return 100 * _mean(p.post("rule")[later] > 0)


# -- news ------------------------------------------------------------------------------------------------------------------


def _of_news(measure: Callable[[Facts], float]) -> Quantity:
    """A measure of how news spread."""
    return lambda p: measure(p.facts)


def _figure(name: str) -> Quantity:
    """A figure of how the first piece of news spread."""
    return lambda p: float(getattr(spread(p.facts, 0), name))


def _tellers(trait: Callable[[Played], Array]) -> Quantity:
    """Mean of a trait over posts that speak of the first piece of news, minus that over its knowers."""

    def difference(p: Played) -> float:
        values, said = trait(p).astype(np.float64), p.frames.arrow("mentions", columns=["author"])["author"].to_numpy()
        return _mean(values[said]) - _mean(values[cascade(p.facts, 0).knows])

    return difference


QUANTITIES: dict[str, Quantity] = {
    f.__name__: f
    for f in (
        evening_visits, weekend_visits, quick_returns, visitors, age_shown, votes_shown, agreed_shown, replies_shown, taste_shown,
        followed_shown, other_side_shown, new_topics_shown, one_author_shown, unseen_posts, voted_taste, voted_followed,
        voted_across, labelled_read, labelled_votes, labelled_replies, writers_arousal, openings, write_after_answer,
        writers_provocation, answered_valence, insults_in_disputes,
        answers_answered, answered_taste, questions_answered, answered_toxicity, replies_gini, reply_depth, answered_followed,
        answered_age, glad_acts, contradiction, topic_drift, insults_across,
        newcomers_violations, rules_broken, swayed, sway, mood_spread, satisfaction, satisfaction_spread, newcomers_gone,
        newcomers_here, new_ties, ties, ties_within, hours_to_ruling, hours_muted, collapsed_read, limited_read,
        again_after_removal, again_after_warning, reworded,
    )
} | {
    name: _of_news(m.function) for name, m in DIFFUSION.items()
} | {
    name: _of_facts(STRUCTURE[name].function) for name in ("like_gini", "starter_reply_share")
} | {
    "tellers_interest": _tellers(lambda p: p.people.interests[:, 0]),
    "tellers_extraversion": _tellers(lambda p: p.people.extraversion),
    "warned_of_rumour": _figure("warned"),
    "meetup_came": _figure("came"),
    "toxicity_shown": _shown("toxicity"),
    "valence_shown": _shown("valence"),
    "voted_valence": _voted("valence"),
    "voted_toxicity": _voted("toxicity"),
    **{f"{kind}_posts": _kind(kind) for kind in KINDS[1:]},
    "insulters_mood": _mood("insult"),
    "insulted_after": _above("insult"),
    "insulters_temper": _trait("insult", "irritability"),
    "harassers_mood": _mood("harassment"),
    "harassed_after": _above("harassment"),
    "harassers_temper": _trait("harassment", "irritability"),
    "politicians_mood": _mood("politics"),
    "medical_age": _trait("medical_advice", "age"),
    "misinformers_care": _trait("misinformation", "conscientiousness"),
    "low_effort_length": _trait("low_effort", "verbosity"),
    "exposed_after": _above("personal_data"),
    "preachers_kindness": _trait("preaching", "agreeableness"),
    "refusals": _rulings("refuse"),
    "cancelled": _rulings("cancel"),
    "revised": _rulings("revise"),
    "decisions": _rulings("remove", "keep", "release"),
    "taken_down": _rulings("remove"),
    "held": _rulings("hold"),
    "collapses": _rulings("collapse"),
    "demotions": _rulings("demote"),
    "limits": _rulings("limit"),
    "labels": _rulings("label"),
    "locks": _rulings("lock"),
    "warnings": _rulings("warn"),
    "mutes": _rulings("mute"),
    "bans_made": _rulings("ban"),
    "restored": _rulings("restore"),
    "appeals": _rulings("restore", "keep"),
    "sent_unchanged": _rulings("send"),
}  # fmt: skip
"""Every quantity by name, besides the measures of a run's report."""


def quantities(names: Sequence[str], played: Played) -> Mapping[str, float]:
    """The values of those quantities or measures. Raises KeyError for an unknown name."""
    return {n: float(QUANTITIES[n](played) if n in QUANTITIES else MEASURES[n].function(played.facts)) for n in names}
