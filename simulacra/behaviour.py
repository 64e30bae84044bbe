"""What personas do: who visits, how far they read, what they vote on, whether they write, which act, in which mood.

A documented agent-based model. `Behaviour` holds every parameter with its unit, its source and the value that switches it off;
the functions below are pure, take arrays with one row a visit, impression or draft, and draw from named streams only. The
whole is described by the ODD protocol in docs/odd.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.errors import SpecError
from simulacra.events import ACTS, KINDS
from simulacra.feeds import nearest
from simulacra.persona import OLD_HAND
from simulacra.seams import Bools, Bytes, Floats, Ints, Reading
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

F64 = NDArray[np.float64]

_OURS = "assumption, ours"


def _param(default: float, unit: str, source: str, about: str, *, off: float, low: float, high: float) -> Any:
    meta = {"unit": unit, "source": source, "about": about, "off": off, "low": low, "high": high}
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Behaviour:
    """Every parameter of the behaviour model. Each can be set to a number or switched off; science.md rows are cited as S-numbers."""

    # -- arrivals --
    visit_rate: float = _param(1.0, "factor", _OURS, "scales everyone's activity", off=1, low=0.01, high=50)
    day_rhythm: float = _param(0.9, "log amplitude", "S15: peak to trough 4.0-4.3 on two forums", "how much busier evenings are than nights", off=0, low=0, high=2)  # fmt: skip
    peak_hour: float = _param(20, "hour of day", _OURS, "busiest hour", off=20, low=0, high=24)
    weekend: float = _param(0.9, "factor", _OURS + " (S15: work forums 14 % of posts)", "visits on a weekend day against a weekday", off=1, low=0.1, high=3)  # fmt: skip
    burst: float = _param(2.0, "factor", "S14: burstiness .25-.55", "extra rate just after a visit", off=0, low=0, high=20)
    burst_hours: float = _param(4.0, "hours", "S14", "how long a burst takes to fade", off=4, low=0.5, high=48)
    notice_pull: float = _param(0.6, "factor", _OURS, "extra rate while a reply waits", off=0, low=0, high=10)
    away: float = _param(0.65, "share of time", "S14: burstiness .25-.55", "members come in spells: so long they are away, and come the more in between", off=0, low=0, high=0.95)  # fmt: skip
    around_hours: float = _param(
        36.0, "hours", "S14", "mean length of a spell in which a member comes", off=36, low=1, high=1000
    )
    zeal: float = _param(
        1.1, "SD of log", "S14: memory of gaps .10-.15", "how unequal spells are in eagerness", off=0, low=0, high=2
    )
    # -- attention --
    scroll: float = _param(8.0, "posts", _OURS, "mean number of posts looked at", off=1e6, low=1, high=1e6)
    scroll_taste: float = _param(1.5, "log per unit of affinity", "sign of S25: less time is spent on a chronological feed", "who is offered what interests reads on", off=0, low=0, high=3)  # fmt: skip
    browse_new: float = _param(0.35, "share of visits", "S6: 13-28 % of posts stay unanswered, not most", "visits that look at the newest posts instead of the feed", off=0, low=0, high=1)  # fmt: skip
    browse_unanswered: float = _param(0.2, "share of visits", "S6, S7: forums have lists of unanswered threads", "visits that look for threads that nobody has answered yet", off=0, low=0, high=1)  # fmt: skip
    label_view: float = _param(0.86, "share", "S34: views -14 % under a note", "of readers who look at a labelled post", off=1, low=0, high=1)  # fmt: skip
    # -- reactions (log-odds per impression) --
    upvote: float = _param(-4.15, "log-odds", "S18: 1-10 likes per 100 reads", "an average post for an average reader", off=-99, low=-99, high=3)  # fmt: skip
    downvote: float = _param(-5.5, "log-odds", _OURS, "an average post for an average reader", off=-99, low=-99, high=3)
    vote_taste: float = _param(
        1.0, "log-odds per unit of affinity", _OURS, "people upvote what interests them", off=0, low=0, high=5
    )
    appeal: float = _param(1.1, "SD of log-odds", "S18: likes of a forum's posts (mean .53, 68 % without, Gini .78)", "some posts are better liked than others of their topic and tone", off=0, low=0, high=3)  # fmt: skip
    vote_valence: float = _param(0.4, "log-odds per unit of valence", _OURS, "friendly words are liked", off=0, low=-3, high=3)
    vote_rude: float = _param(
        2.0, "log-odds per unit of toxicity", _OURS, "rude words are voted down, and less up", off=0, low=0, high=9
    )
    vote_tie: float = _param(0.6, "log-odds", _OURS, "people upvote those they follow", off=0, low=0, high=5)
    vote_camp: float = _param(0.5, "log-odds", _OURS, "less up and more down for the other home group", off=0, low=0, high=5)
    vote_side: float = _param(2.0, "log-odds per unit of toxicity", "sign of S23 (out-group words spread) and S24", "rudeness to the other home group is liked by one's own", off=0, low=0, high=9)  # fmt: skip
    herding: float = _param(0.2, "log-odds per log vote", "S19: one fake upvote, final score +25 %", "votes shown attract votes", off=0, low=0, high=2)  # fmt: skip
    correction: float = _param(0.2, "log-odds per log vote", "S19: a fake downvote is corrected", "below zero, votes shown are set right by upvotes instead of followed", off=0, low=0, high=2)  # fmt: skip
    label_vote: float = _param(-0.58, "log-odds", "S34: likes -44 % under a note", "a labelled post is upvoted less", off=0, low=-5, high=0)  # fmt: skip
    report: float = _param(0.06, "chance", _OURS, "a reader who sees a violation reports it", off=0, low=0, high=1)
    false_report: float = _param(0.0004, "chance", _OURS, "a reader reports a harmless post", off=0, low=0, high=1)
    # -- writing --
    write: float = _param(0.06, "chance a visit", _OURS, "that a typical visit produces a draft", off=0, low=0, high=1)
    write_spread: float = _param(2.0, "SD of log-odds", "S1, S4: few write much, most read", "how unequal personas are in writing", off=0, low=0, high=4)  # fmt: skip
    lurkers: float = _param(0.15, "share of members", "S4: visitors who never post .6-.95", "write hardly ever: the rest by `write_spread`", off=0, low=0, high=1)  # fmt: skip
    crowd: float = _param(-0.8, "log-odds per tenfold of members", "sign of S4: more lurkers in larger communities", "the more members, the less each writes; 0 at 1,000", off=0, low=-3, high=0)  # fmt: skip
    withdrawal: float = _param(0.2, "log-odds per unit of |valence|", "S20: fewer emotional posts, fewer words", "emotional reading makes people write", off=0, low=0, high=5)  # fmt: skip
    provoked: float = _param(1.0, "log-odds per unit of toxicity", "sign of S24 (engagement ranking amplifies anger) and S35", "the rudest post that is read makes people write", off=0, low=0, high=5)  # fmt: skip
    opening: float = _param(0.22, "share", "posts that open a thread: .14-.20 on two forums", "of drafts that open a thread", off=0, low=0, high=1)  # fmt: skip
    answered: float = _param(1.8, "log-odds", "S12: replies by the thread's starter 34 %", "a reply that waits makes people write", off=0, low=0, high=5)  # fmt: skip
    own_thread: float = _param(1.0, "log-odds", "S12: replies by the thread's starter 34 %", "a reply that waits in a thread of one's own does so the more", off=0, low=0, high=5)  # fmt: skip
    answer_notice: float = _param(
        0.8, "chance", "S12: A-B-A .36-.53", "who was answered and writes, writes back", off=0, low=0, high=1
    )
    opener_notice: float = _param(1.0, "share of threads", "S12: replies by the thread's starter 34 %; Discourse lets openers watch their thread", "in which the opener is told of every reply, not of answers to its own posts alone", off=0, low=0, high=1)  # fmt: skip
    # -- which parent (log-weights) --
    parent_taste: float = _param(
        1.0, "per unit of affinity", _OURS, "people reply to what interests them", off=0, low=0, high=5
    )
    parent_unanswered: float = _param(1.2, "log-weight", "S6", "a thread with no reply yet invites one", off=0, low=0, high=5)
    parent_question: float = _param(
        0.7, "log-weight", _OURS, "a question with no answer yet asks for one", off=0, low=0, high=5
    )
    parent_rude: float = _param(
        3.0,
        "per unit of toxicity",
        "sign of S24 (engagement ranking amplifies anger) and S35 (toxic threads grow)",
        "rude posts draw replies",
        off=0,
        low=0,
        high=5,
    )
    parent_gloom: float = _param(1.5, "per unit of negative valence", "sign of S23 (negative words are clicked on) and S24 (sadness)", "gloomy posts draw replies", off=0, low=0, high=5)  # fmt: skip
    parent_crowd: float = _param(
        0.05, "per log reply", "S7: thread sizes are unequal", "replies attract replies", off=0, low=0, high=3
    )
    parent_depth: float = _param(-0.12, "per level", "S9: mean depth 2.0-3.3", "deep replies draw fewer", off=0, low=-2, high=2)
    to_root: float = _param(0.4, "chance", "S9: a quarter to half of replies answer the opening post", "who reads a reply answers the opening post instead", off=0, low=0, high=1)  # fmt: skip
    parent_tie: float = _param(0.5, "log-weight", _OURS, "people reply to those they follow", off=0, low=0, high=5)
    parent_camp: float = _param(0.4, "log-weight", "sign: members of two camps answer the other side more than chance has it (De Francisci Morales et al. 2021, from memory)", "the other home group draws replies", off=0, low=0, high=3)  # fmt: skip
    parent_age: float = _param(
        0.02, "per hour", "S16: first replies come within hours", "old posts draw fewer replies", off=0, low=0, high=1
    )
    label_reply: float = _param(-0.25, "log-weight", "S34: replies -22 % under a note", "a labelled post draws fewer replies", off=0, low=-5, high=0)  # fmt: skip
    # -- which act --
    act_mood: float = _param(1.2, "log-weight per unit of mood", _OURS, "good moods thank and agree, bad ones vent and disagree", off=0, low=0, high=5)  # fmt: skip
    act_camp: float = _param(0.9, "log-weight", _OURS, "the other home group is contradicted", off=0, low=0, high=5)
    drift: float = _param(0.03, "chance", _OURS, "a reply changes the topic", off=0, low=0, high=1)
    # -- breaking rules (log-odds per draft) --
    insult: float = _param(-4.1, "log-odds", "S35: 1-10 % toxic posts", "that a draft insults", off=-99, low=-99, high=3)
    insult_mood: float = _param(
        1.4, "per unit of bad mood", "S22: 35 % against 50 % of posts", "bad moods make trolls", off=0, low=0, high=9
    )
    insult_context: float = _param(1.3, "per unit of toxicity", "S22: troll context", "rudeness read and answered makes trolls", off=0, low=0, high=9)  # fmt: skip
    insult_irritable: float = _param(2.5, "per unit of irritability", "S35: few authors write most", "irritable people insult more", off=0, low=0, high=9)  # fmt: skip
    insult_camp: float = _param(
        0.6, "log-odds", "S23: out-group words", "replying to the other home group", off=0, low=0, high=9
    )
    insult_dispute: float = _param(0.7, "log-odds", "sign of S35: longer threads are more toxic", "who contradicts a contradiction gets rude sooner", off=0, low=0, high=9)  # fmt: skip
    promote: float = _param(-5.0, "log-odds", _OURS, "that a draft advertises", off=-99, low=-99, high=3)
    promote_seller: float = _param(3.0, "log-odds", _OURS, "for personas whose sketch sells something", off=0, low=0, high=9)
    off_topic: float = _param(
        -4.0, "log-odds", _OURS, "that a draft strays from the community's subject", off=-99, low=-99, high=3
    )
    harassment: float = _param(-6.0, "log-odds", "S35: 1-10 % toxic posts, few of them threats", "that a reply goes after a person", off=-99, low=-99, high=3)  # fmt: skip
    harass_quarrel: float = _param(
        2.5, "per unit of toxicity", _OURS, "quarrels turn into going after a person", off=0, low=0, high=9
    )
    harass_mood: float = _param(1.4, "per unit of bad mood", _OURS + " (as `insult_mood`)", "bad moods do it", off=0, low=0, high=9)  # fmt: skip
    harass_irritable: float = _param(2.5, "per unit of irritability", _OURS + " (as `insult_irritable`)", "irritable people do it", off=0, low=0, high=9)  # fmt: skip
    politics: float = _param(-5.8, "log-odds", _OURS, "that a draft drags in party politics", off=-99, low=-99, high=3)
    politics_topic: float = _param(1.6, "log-odds", _OURS, "where the talk is of public affairs already", off=0, low=0, high=9)
    politics_mood: float = _param(0.7, "per unit of bad mood", _OURS, "the angry blame those in power", off=0, low=0, high=9)
    medical_advice: float = _param(-4.0, "log-odds", _OURS, "that a draft on health tells others what to take or leave", off=-99, low=-99, high=3)  # fmt: skip
    medical_old: float = _param(0.3, "log-odds per 20 years of age over 45", _OURS, "the old have tried it all", off=0, low=-3, high=3)  # fmt: skip
    misinformation: float = _param(-5.6, "log-odds", _OURS, "that a draft spreads a falsehood", off=-99, low=-99, high=3)
    misinformation_topic: float = _param(1.2, "log-odds", _OURS, "where health, money or public affairs are talked of", off=0, low=0, high=9)  # fmt: skip
    misinformation_careless: float = _param(
        0.4, "log-odds per SD", _OURS, "the less conscientious check less", off=0, low=0, high=3
    )
    low_effort: float = _param(-4.6, "log-odds", _OURS, "that a draft is a word or two", off=-99, low=-99, high=3)
    low_effort_terse: float = _param(4.0, "per unit of terseness", _OURS, "those who write little do it", off=0, low=0, high=9)  # fmt: skip
    spoiler: float = _param(-4.2, "log-odds", _OURS, "that a draft on a story, game or film gives it away", off=-99, low=-99, high=3)  # fmt: skip
    personal_data: float = _param(-6.2, "log-odds", _OURS, "that a draft tells where to find somebody", off=-99, low=-99, high=3)  # fmt: skip
    personal_quarrel: float = _param(
        2.0, "per unit of toxicity", _OURS, "quarrels make people expose each other", off=0, low=0, high=9
    )
    preaching: float = _param(-5.4, "log-odds", _OURS, "that a draft tells others how to live", off=-99, low=-99, high=3)
    preach_disagreeable: float = _param(0.5, "log-odds per SD", _OURS, "the less agreeable preach more", off=0, low=0, high=3)
    norm_strength: float = _param(0.25, "log-odds", "S30: newcomers comply 52 -> 60 % with rules pinned", "fewer violations by a compliant persona that has the rules in mind", off=0, low=0, high=5)  # fmt: skip
    rule_memory: float = _param(0.3, "share", _OURS, "visibility of rules that are not pinned", off=0, low=0, high=1)
    limit_share: float = _param(0.5, "share", _OURS, "a rule that limits a kind of post weighs so much of one that forbids it", off=1, low=0, high=1)  # fmt: skip
    # -- mood --
    contagion: float = _param(0.03, "mood per unit of surprise", "S20: d about .02; S21", "mood follows the emotion of what is read", off=0, low=0, high=1)  # fmt: skip
    mood_hours: float = _param(18.0, "hours", _OURS, "time in which a mood falls to a third", off=1e9, low=0.1, high=1e9)
    mood_noise: float = _param(0.22, "SD", _OURS, "what life outside the platform does to moods", off=0, low=0, high=1)
    hurt: float = _param(0.15, "mood per unit of toxicity", _OURS, "being answered rudely", off=0, low=0, high=2)
    flattery: float = _param(0.02, "mood per vote", _OURS, "votes received since the last visit", off=0, low=0, high=1)
    # -- satisfaction, churn, ties, newcomers --
    satisfaction_rate: float = _param(
        0.15, "share a visit", _OURS, "how fast satisfaction follows experience", off=0, low=0, high=1
    )
    enjoy_taste: float = _param(0.5, "per unit of affinity", _OURS, "interesting posts satisfy", off=0, low=0, high=5)
    enjoy_reply: float = _param(0.3, "per visit with replies", "S17: newcomers without reply leave", "being answered satisfies", off=0, low=0, high=5)  # fmt: skip
    suffer_rude: float = _param(1.5, "per unit of toxicity", _OURS, "rude posts repel", off=0, low=0, high=9)
    churn: float = _param(0.004, "chance a visit", _OURS, "of leaving for good at zero satisfaction", off=0, low=0, high=1)
    churn_slope: float = _param(4.0, "log-odds per unit", _OURS, "the dissatisfied leave sooner", off=0, low=0, high=20)
    churn_newcomer: float = _param(3.9, "log-odds", "S17: 27-34 % post once", "first visits are fragile", off=0, low=0, high=5)
    churn_answered: float = _param(1.0, "log-odds", "sign of S17: newcomers without reply leave", "a newcomer whose posts were answered stays the more", off=0, low=0, high=5)  # fmt: skip
    follow: float = _param(0.15, "chance an upvote", _OURS, "of following the author", off=0, low=0, high=1)
    follow_far: float = _param(0.1, "share", "S28: E-I index of ties -.84 in partisan samples", "of the ties with its own home group that a member makes with the other", off=1, low=0, high=1)  # fmt: skip
    first_ties: float = _param(4.0, "ties", _OURS, "mean number of ties at the beginning", off=0, low=0, high=16)
    homophily: float = _param(
        0.9, "share", "S28: E-I index -.8 in partisan samples", "of first ties within the home group", off=0.5, low=0, high=1
    )
    newcomers: float = _param(0.01, "of the population a day", _OURS, "who joins", off=0, low=0, high=1)
    # -- news: rumours, facts, invitations (silent in a community without [[news]]) --
    news_mention: float = _param(-2.2, "log-odds", _OURS, "that a draft of somebody who knows an item speaks of it", off=-99, low=-99, high=9)  # fmt: skip
    news_taste: float = _param(0.8, "log-odds per unit of interest", _OURS, "interest in the item's topic: speaking of it, coming", off=0, low=0, high=5)  # fmt: skip
    news_tie: float = _param(0.7, "log-odds", _OURS + " (S41: Smallville's invitations ran along acquaintance)", "a tie to the host or to who tells: speaking of it, coming, believing", off=0, low=0, high=5)  # fmt: skip
    news_talk: float = _param(0.3, "log-odds per SD of extraversion", _OURS, "the talkative pass more on and come sooner", off=0, low=0, high=3)  # fmt: skip
    news_fade: float = _param(48.0, "hours", _OURS, "in which the odds of speaking of an item fall to a third", off=1e9, low=1, high=1e9)  # fmt: skip
    news_again: float = _param(1.0, "log-odds per time", _OURS, "who has spoken of it does so less", off=0, low=0, high=9)
    news_answer: float = _param(4.5, "log-odds", _OURS, "an answer to a post about an item stays with it", off=0, low=0, high=9)
    news_aside: float = _param(-1.5, "log-odds", _OURS, "an answer to another post seldom turns to it", off=0, low=-9, high=0)
    news_urge: float = _param(1.5, "log-odds", _OURS, "something to tell makes people write", off=0, low=0, high=5)
    news_first: float = _param(4.0, "log-odds", "S41: the host wants to", "who brings an item wants to write, and speaks of it", off=0, low=0, high=9)  # fmt: skip
    news_believe: float = _param(-0.2, "log-odds", _OURS, "that a reader takes a rumour for true", off=-99, low=-99, high=9)
    news_repeat: float = _param(0.3, "log-odds per post", "sign: repetition makes true (Hasher et al. 1977, from memory)", "every telling that is read adds to belief", off=0, low=0, high=3)  # fmt: skip
    news_doubt: float = _param(0.6, "log-odds per post", _OURS, "every doubt or correction that is read takes from belief", off=0, low=0, high=5)  # fmt: skip
    news_label: float = _param(-1.5, "log-odds", "sign of S34 (notes)", "a note seen under a rumour takes from belief", off=0, low=-9, high=0)  # fmt: skip
    news_label_tell: float = _param(-0.62, "log-odds", "S34: reposts -46 % after a note", "who has seen a note passes less on", off=0, low=-9, high=0)  # fmt: skip
    news_attend: float = _param(-0.4, "log-odds", "S41: 5 of 12 invited came", "that who hears of a meet-up means to come", off=-99, low=-99, high=9)  # fmt: skip
    news_show: float = _param(0.85, "share", _OURS, "of those who mean to come who do", off=1, low=0, high=1)

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not f.metadata["low"] <= value <= f.metadata["high"] and value != f.metadata["off"]:
                low, high = f.metadata["low"], f.metadata["high"]
                raise SpecError(f"behaviour.{f.name} = {value:g} {f.metadata['unit']}: expected {low:g} to {high:g}, or off.")

    def with_settings(self, settings: Mapping[str, Any]) -> Behaviour:
        """A copy with some parameters changed. Values are numbers, "off" (the value without the mechanism) or "on" (the default)."""
        known = {f.name: f for f in fields(self)}
        for name in settings:
            if name not in known:
                raise SpecError(f"No behaviour parameter called {name!r}.{nearest(name, known)} See `simulacra parameters`.")
        return replace(self, **{name: _setting(known[name], value) for name, value in settings.items()})


def _setting(f: Field[Any], value: Any) -> float:
    if value is False or (isinstance(value, str) and value.lower() in ("off", "false", "no")):
        return float(f.metadata["off"])
    if value is True or (isinstance(value, str) and value.lower() in ("on", "true", "yes")):
        return float(getattr(Behaviour(), f.name))
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise SpecError(f"behaviour.{f.name} = {value!r}: expected a number in {f.metadata['unit']}, on or off.") from None
    if not np.isfinite(number):
        raise SpecError(f"behaviour.{f.name} = {value!r}: expected a finite number.")
    return number


def _sigmoid(x: NDArray[np.floating[Any]]) -> F64:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


# -- arrivals ------------------------------------------------------------------------------------------------------------

AWAY_TAIL = 2.5
"""Exponent of the tail of times away (Lomax): 1 in 20 is longer than three times the mean. Heavy tails of waiting times are the mark
of human activity (Barabasi 2005; Goh and Barabasi 2008); the value is ours."""


class Spells(NamedTuple):
    """Whose spell, around or away, is over at this hour, and what follows. One row a persona."""

    persona: Ints
    begun: Ints  # spells begun so far: the last one is around where the number is odd
    ends: Ints  # hour
    zeal: F64  # factor of how often it comes until then, 0 while away


def spells(b: Behaviour, world: PlatformView, step: int, streams: Streams) -> Spells:
    """Spells that follow those that end. They do so whatever happens on the platform: the n-th of a persona is the same in every arm.

    Times around are exponential, times away heavy-tailed (Lomax). Who was there before the simulation begins is met at a moment of a
    process long under way; newcomers begin with a spell around.
    """
    members = world.members
    who = np.flatnonzero(members.spell_ends <= step).astype(np.int32)
    if b.away <= 0:
        who = who[:0]
    begun, ends = members.spells[who].copy(), members.spell_ends[who].copy()
    new = np.flatnonzero(begun == 0)
    begun[new], ends[new] = _first_spell(b, world, who[new], step, streams)
    over = np.flatnonzero(ends <= step)
    while len(over):
        begun[over] += 1
        ends[over] += _spell_hours(b, begun[over] % 2 == 1, AWAY_TAIL, streams.uniform("spell", who[over], begun[over]))
        over = over[ends[over] <= step]
    zeal = np.exp(b.zeal * streams.normal("zeal", who, begun) - b.zeal**2 / 2) / (1 - b.away)
    return Spells(who, begun, ends, zeal * (begun % 2 == 1))


def _first_spell(b: Behaviour, world: PlatformView, persona: Ints, step: int, streams: Streams) -> tuple[Ints, Ints]:
    """The spell, 1 around or 2 away, in which each persona is met, and when it ends. What is left of a time that one drops in on is again
    exponential, and again Lomax with an exponent less by 1 (Cox 1962, Renewal Theory)."""
    arrival = world.population.arrival[persona]
    old = arrival == OLD_HAND
    begun = np.where(old & (streams.uniform("first spell", persona, 0) < b.away), 2, 1).astype(np.int32)
    left = _spell_hours(b, begun == 1, AWAY_TAIL - 1, streams.uniform("first spell", persona, 1))
    return begun, (np.where(old, step, arrival) + left).astype(np.int32)


def _spell_hours(b: Behaviour, around: Bools, tail: float, u: F64) -> Ints:
    """Whole hours, 1 or more."""
    scale = b.around_hours * b.away / (1 - b.away) * (AWAY_TAIL - 1)
    hours = np.where(around, -b.around_hours * np.log(u), scale * (u ** (-1 / tail) - 1))
    return np.ceil(np.minimum(hours, 1e6)).astype(np.int32)


def arrivals(b: Behaviour, world: PlatformView, step: int, streams: Streams) -> Ints:
    """Ids, ascending, of the personas that open the app in this hour; each at most once."""
    members, hour = world.members, step % 24
    # The mean of exp(a cos) over a day is I0(a): divided out, so that the rhythm moves visits and does not add any.
    rhythm = np.exp(b.day_rhythm * np.cos(2 * np.pi * (hour - b.peak_hour) / 24)) / np.i0(b.day_rhythm)
    week = b.weekend if (step // 24) % 7 >= 5 else 1.0
    since = (step - members.last_visit).astype(np.float64)
    pull = 1 + b.burst * np.exp(-since / b.burst_hours) + b.notice_pull * (members.notices >= 0).any(axis=1)
    rate = world.population.activity * (b.visit_rate * rhythm * week / 24) * pull
    if b.away > 0:
        rate *= members.zeal
    coming = streams.uniform("visit", step, np.arange(len(rate))) < -np.expm1(-rate)
    return np.flatnonzero(coming & members.present).astype(np.int32)


def looked(b: Behaviour, persona: Ints, slate: Ints, taste: Floats, world: PlatformView, step: int, streams: Streams) -> Bytes:
    """How many posts of the slate [n, k] each visitor looks at, from the top: at least one where any is offered, exponential beyond, and
    the more the better what it is offered fits its taste [n, d]."""
    offered = slate >= 0
    depth = 1 + np.floor(streams.exponential("scroll", step, persona) * _patience(b, slate, offered, taste, world))
    return np.minimum(depth, offered.sum(axis=1)).astype(np.int8)


def _patience(b: Behaviour, slate: Ints, offered: Bools, taste: Floats, world: PlatformView) -> F64 | float:
    """Mean number of posts that each visitor looks at beyond the first [n]."""
    mean = max(b.scroll - 0.5, 0.5)
    if not b.scroll_taste or not len(world.posts):
        return mean
    vectors = world.topic_vectors[world.posts.topic[np.maximum(slate, 0)]]
    affinity = np.einsum("nd,nkd->nk", taste, vectors) * offered
    return np.asarray(mean * np.exp(b.scroll_taste * affinity.sum(axis=1) / np.maximum(offered.sum(axis=1), 1)))


def browses(b: Behaviour, persona: Ints, step: int, streams: Streams) -> tuple[Bools, Bools]:
    """Which visits look at the newest posts and which at threads without an answer, whatever the feed design would show them [n]."""
    u = streams.uniform("browse new", step, persona)
    newest = u < b.browse_new
    return newest, ~newest & (u < b.browse_new + b.browse_unanswered)


def opened(b: Behaviour, reader: Ints, post: Ints, world: PlatformView, streams: Streams) -> Bools:
    """Which posts that stand before a reader are looked at [s]: all, but for collapsed and labelled ones. Each reader decides once."""
    posts = world.posts
    chance = posts.attention[post] * np.where(posts.label[post] > 0, np.float32(b.label_view), np.float32(1))
    looks = np.ones(len(post), bool)
    rows = np.flatnonzero(chance < 1)
    at = post[rows]
    looks[rows] = streams.uniform("unfold", reader[rows], posts.author[at], posts.step[at]) < chance[rows]
    return looks


# -- mood ----------------------------------------------------------------------------------------------------------------


LIFE_HOURS = 12
"""Life outside the platform turns a mood over about this time."""


class Mood(NamedTuple):
    """A mood in two parts: what the person and its life make of it, and how far reading and being answered have swayed it."""

    own: F64  # [n] baseline and life
    swayed: F64  # [n]

    @property
    def total(self) -> F64:
        """[-1, 1]"""
        return np.clip(self.own + self.swayed, -1, 1)


def mood_on_arrival(b: Behaviour, world: PlatformView, persona: Ints, step: int, streams: Streams) -> Mood:
    """Mood before reading. What swayed it has faded since the last visit; votes received meanwhile please or sting.

    Life is a function of who and when alone (Gaussian values every LIFE_HOURS, blended so that the variance stays), never of what
    happened on the platform: two runs that differ in a feed share it exactly.
    """
    members = world.members
    node, part = divmod(step / LIFE_HOURS, 1)
    before, after = (streams.normal("life", int(node) + later, persona) for later in (0, 1))
    life = b.mood_noise * (np.cos(part * np.pi / 2) * before + np.sin(part * np.pi / 2) * after)
    kept = np.exp(-(step - members.mooded_at[persona]) / b.mood_hours)
    swayed = members.swayed[persona] * kept + b.flattery * np.tanh(members.credit[persona])
    return Mood(world.population.baseline[persona] + life, np.asarray(swayed, np.float64))


def mean_by_visit(reading: Reading, values: NDArray[np.floating[Any]], visits: int) -> F64:
    """Mean of a value over each visit's fresh posts [n]; 0 where nothing fresh was read."""
    rows = reading.visit[reading.fresh]
    total = np.bincount(rows, values[reading.fresh], visits)
    return np.asarray(total / np.maximum(np.bincount(rows, minlength=visits), 1))


def mood_after_reading(
    b: Behaviour, mood: Mood, reading: Reading, world: PlatformView, expected: Floats, persona: Ints
) -> Mood:
    """Mood is swayed by the surprise in what is read: valence minus the scorer's mean for posts of that topic and act, so that a
    community's vocabulary alone moves nobody; rude answers to one's own posts hurt besides.

    expected: [topics, acts] mean valence of neutral posts.
    """
    posts = world.posts
    surprise = posts.valence[reading.post] - expected[posts.topic[reading.post], posts.act[reading.post]]
    susceptibility = 2 * world.population.susceptibility[persona]
    swayed = mood.swayed + b.contagion * susceptibility * mean_by_visit(reading, surprise, len(persona))
    told = np.flatnonzero(reading.source == 1)
    answers = told[posts.author[posts.parent[reading.post[told]]] == reading.reader[told]]
    sting = np.bincount(reading.visit[answers], posts.toxicity[reading.post[answers]], len(persona))
    return Mood(mood.own, np.clip(swayed - b.hurt * np.minimum(sting, 2), -1, 1))


# -- reactions -----------------------------------------------------------------------------------------------------------


def reactions(b: Behaviour, reading: Reading, world: PlatformView, shows_counts: bool, streams: Streams) -> tuple[Bytes, Bools]:
    """Votes (1, 0, -1) and reports for every impression. A post is voted on at first sight or not at all."""
    posts, post = world.posts, reading.post
    liking = (
        b.vote_taste * reading.affinity + b.vote_valence * posts.valence[post] - b.vote_rude * posts.toxicity[post]
        + b.vote_tie * reading.tie - b.vote_camp * reading.camp
        + b.vote_side * posts.toxicity[post] * (posts.across[post] & ~reading.camp)
    )  # fmt: skip
    lifted = np.zeros(len(post))
    if shows_counts:
        votes = (posts.up[post] - posts.down[post]).astype(np.float32)
        liking += b.herding * np.log1p(np.maximum(votes, 0))
        lifted = b.correction * np.log1p(np.maximum(-votes, 0))
    key = (reading.reader, posts.author[post], posts.step[post])
    u = streams.uniform("vote", *key)
    appeal = b.appeal * (posts.appeal[post] - b.appeal / 2)  # so that the mean of its exponential is 1
    up = _sigmoid(b.upvote + liking + appeal + lifted + b.label_vote * posts.label[post])
    down = _sigmoid(b.downvote - liking)
    vote = np.where(u < up, 1, np.where(u > 1 - down, -1, 0)) * reading.fresh
    # Readers recognise a violation as people do, not as a scorer does: otherwise writer, filter and judge would share one word list.
    chance = np.where(posts.truth[post] > 0, b.report, b.false_report)
    reported = (streams.uniform("report", *key) < chance) & reading.fresh
    return vote.astype(np.int8), reported


def appeal(author: Ints, step: int, streams: Streams) -> Floats:
    """How well each post is liked beyond its topic and tone [m], a standard normal that only votes reveal: no feed, policy or scorer
    can see it."""
    return streams.normal("appeal", author, step).astype(np.float32)


# -- writing -------------------------------------------------------------------------------------------------------------


LURKS = 4.0
"""Log-odds by which a lurker writes less than others."""
USUAL = 1000
"""Members of the community at which `crowd` neither adds nor takes."""


def readiness(b: Behaviour, persona: Ints, streams: Streams) -> F64:
    """How readily each persona writes, log-odds around the typical one [n]: it stays so for good."""
    lurks = streams.uniform("lurker", persona) < b.lurkers
    return b.write_spread * streams.normal("writer", persona) - LURKS * lurks


def crowding(b: Behaviour, world: PlatformView) -> float:
    """Log-odds that everybody writes less for being one of many (those who were there at the beginning)."""
    members = max(int((world.population.arrival == OLD_HAND).sum()), 1)
    return float(b.crowd * np.log10(members / USUAL))


def writers(
    b: Behaviour, reading: Reading, world: PlatformView, persona: Ints, step: int, streams: Streams, urge: F64 | float = 0.0
) -> Bools:
    """Which visits produce a draft [n]. The muted write nothing. urge: log-odds more for those who have something to tell."""
    arousal = mean_by_visit(reading, np.abs(world.posts.valence[reading.post]), len(persona))
    habit = readiness(b, persona, streams) + 0.5 * world.population.extraversion[persona] + crowding(b, world)
    if b.write <= 0:
        return np.zeros(len(persona), bool)
    # The spread raises the mean of a logistic; a fixed shift (probit approximation, MacKay 1992) keeps the mean at `write`.
    spread = np.sqrt(1 + np.pi / 8 * (b.write_spread**2 + 0.25))
    told = np.bincount(reading.visit[reading.source == 1], minlength=len(persona)) > 0
    logit = (
        np.log(b.write / (1 - min(b.write, 0.999))) * spread
        + habit
        + b.withdrawal * (arousal - 0.35)
        + b.provoked * (_rudest(reading, world, len(persona)) - 0.2)
        + b.answered * told
        + b.own_thread * _called(reading, world, len(persona))
        + urge
    )
    wants = streams.uniform("write", step, persona) < _sigmoid(logit)
    return wants & (world.members.muted_until[persona] <= step)


def _rudest(reading: Reading, world: PlatformView, visits: int) -> Floats:
    """Toxicity of the rudest post that each visit meets for the first time [n]; 0 where nothing fresh was read."""
    rows, rudest = np.flatnonzero(reading.fresh), np.zeros(visits, np.float32)
    np.maximum.at(rudest, reading.visit[rows], world.posts.toxicity[reading.post[rows]])
    return rudest


def _called(reading: Reading, world: PlatformView, visits: int) -> Bools:
    """Whether a reply in a thread of its own waits for each visitor [n]."""
    rows = np.flatnonzero(reading.source == 1)
    own = world.posts.author[world.posts.root[reading.post[rows]]] == reading.reader[rows]
    return np.asarray(np.bincount(reading.visit[rows[own]], minlength=visits) > 0)


def watched(b: Behaviour, replies: Ints, world: PlatformView, streams: Streams) -> Bools:
    """Whether each new post is a reply further down in a thread whose opener watches it and is told of it [m]. Openers decide once a
    thread; answers to their own posts they are told of anyway."""
    posts, root, parent = world.posts, world.posts.root[replies], world.posts.parent[replies]
    opener = posts.author[root]
    below = (posts.depth[replies] > 1) & (opener != posts.author[replies]) & (opener != posts.author[parent])
    return below & (streams.uniform("watch", opener, posts.step[root]) < b.opener_notice)


def choose_parent(
    b: Behaviour, reading: Reading, world: PlatformView, wants: Bools, persona: Ints, step: int, streams: Streams
) -> Ints:
    """For each visit that writes, the post that it replies to, -1 to open a thread [n]."""
    n = len(persona)
    choice = np.full(n, -1, np.int32)
    opens = streams.uniform("open", step, persona) < b.opening
    writes_back = streams.uniform("write back", step, persona) < b.answer_notice
    told = np.bincount(reading.visit[reading.source == 1], minlength=n) > 0
    replies = wants & (~opens | (told & writes_back))
    posts = world.posts
    invites = (posts.author[reading.post] != reading.reader) & ~posts.locked[posts.root[reading.post]]
    rows = np.flatnonzero(replies[reading.visit] & invites)
    if not len(rows):
        return choice
    weight = _parent_weight(b, reading, rows, world, step)
    # Who was answered and writes back chooses among the answers alone.
    back = (told & writes_back)[reading.visit[rows]]
    weight += np.where(back & (reading.source[rows] == 1), 50.0, 0.0)
    post, visit = reading.post[rows], reading.visit[rows]
    weight += streams.gumbel("parent", step, reading.reader[rows], world.posts.author[post], world.posts.step[post])
    order = np.lexsort((weight, visit))
    last = np.flatnonzero(np.diff(visit[order], append=n))
    who, parent = visit[order[last]], post[order[last]]
    root = world.posts.root[parent]
    climbs = (streams.uniform("to root", step, persona[who]) < b.to_root) & (world.posts.author[root] != persona[who])
    choice[who] = np.where(climbs & world.visible(root), root, parent)
    return choice


def _parent_weight(b: Behaviour, reading: Reading, rows: NDArray[np.intp], world: PlatformView, step: int) -> F64:
    posts, post = world.posts, reading.post[rows]
    unanswered = (posts.depth[post] == 0) & (posts.replies[post] == 0)
    return np.asarray(
        b.parent_taste * reading.affinity[rows] + b.parent_question * (unanswered & (posts.act[post] == ACTS.index("ask")))
        + b.parent_unanswered * unanswered + b.parent_rude * posts.toxicity[post]
        + b.parent_gloom * np.maximum(-posts.valence[post], 0) + b.parent_crowd * np.log1p(posts.replies[post]) + b.parent_depth * posts.depth[post] + b.parent_tie * reading.tie[rows]
        + b.parent_camp * reading.camp[rows]
        - b.parent_age * (step - posts.step[post]) + b.label_reply * posts.label[post],
        np.float64,
    )  # fmt: skip


_OPENING = {"share": 0.46, "ask": 0.34, "vent": 0.13, "joke": 0.05, "thank": 0.02}
_REPLYING = {
    "share": {"agree": 0.27, "ask": 0.2, "disagree": 0.17, "joke": 0.12, "thank": 0.12, "share": 0.1, "vent": 0.02},
    "ask": {"answer": 0.8, "ask": 0.06, "joke": 0.05, "share": 0.06, "disagree": 0.03},
    "answer": {"thank": 0.28, "agree": 0.25, "disagree": 0.17, "ask": 0.17, "answer": 0.08, "joke": 0.05},
    "agree": {"agree": 0.24, "share": 0.2, "joke": 0.2, "ask": 0.16, "disagree": 0.12, "thank": 0.08},
    "disagree": {"disagree": 0.46, "agree": 0.2, "ask": 0.18, "joke": 0.1, "vent": 0.06},
    "joke": {"joke": 0.46, "agree": 0.2, "disagree": 0.12, "share": 0.12, "ask": 0.1},
    "vent": {"agree": 0.38, "answer": 0.17, "share": 0.15, "disagree": 0.14, "joke": 0.09, "ask": 0.07},
    "thank": {"share": 0.3, "joke": 0.3, "agree": 0.25, "ask": 0.15},
    "promote": {"disagree": 0.42, "ask": 0.25, "joke": 0.23, "vent": 0.1},
    "insult": {"disagree": 0.52, "vent": 0.2, "joke": 0.18, "agree": 0.1},
    "off_topic": {"joke": 0.35, "disagree": 0.25, "agree": 0.2, "ask": 0.2},
}
"""How often an act answers an act: an assumption, shaped by hand after the dialogue-act shares of support and discussion forums."""


def _log_weights(shares: Mapping[str, float]) -> F64:
    return np.log([shares.get(act, 1e-9) for act in ACTS])


_ACT_LOGITS = np.array([_log_weights(_REPLYING[act]) for act in ACTS] + [_log_weights(_OPENING)])
_GOOD = np.array(
    [{"thank": 0.6, "agree": 0.4, "joke": 0.3, "share": 0.2, "vent": -1.0, "disagree": -0.5}.get(act, 0.0) for act in ACTS]
)
_CAMP = np.array([{"disagree": 1.0, "agree": -1.0}.get(act, 0.0) for act in ACTS])


def choose_act(
    b: Behaviour, author: Ints, mood: F64, parent: Ints, camp: Bools, world: PlatformView, step: int, streams: Streams
) -> Bytes:
    """What each draft does [m], given the act it answers, the author's mood, and whether the two belong to different home groups."""
    row = (
        np.where(parent >= 0, world.posts.act[np.maximum(parent, 0)], len(ACTS))
        if len(world.posts)
        else np.full(len(parent), len(ACTS))
    )
    warm = world.population.agreeableness[author] * 0.25
    logits = _ACT_LOGITS[row] + (b.act_mood * mood)[:, None] * _GOOD + (b.act_camp * camp - warm)[:, None] * _CAMP
    return streams.pick(logits, "act", step, author).astype(np.int8)


def choose_topic(b: Behaviour, author: Ints, parent: Ints, world: PlatformView, step: int, streams: Streams) -> Bytes:
    """What each draft is about [m]: one's own interests in a new thread; in a reply the parent's topic, but for some drift."""
    own = streams.pick(np.log(world.population.interests[author] + 1e-9), "topic", step, author)
    if not len(world.posts):
        return own.astype(np.int8)
    strays = streams.uniform("drift", step, author) < b.drift
    return np.where((parent < 0) | strays, own, world.posts.topic[np.maximum(parent, 0)]).astype(np.int8)


class Temptation(NamedTuple):
    """What bears on whether a draft breaks a rule, one row a draft."""

    mood: F64
    rude_context: F64  # toxicity of the parent, and half of that of what was read
    camp: Bools
    seller: Bools
    visibility: F64  # [m, kinds] how much the author has the rule against each kind in mind, 0 where there is none
    replies: Bools
    invited: Bools  # [m, kinds] whether talk of the draft's topic invites the kind
    disputes: Bools | bool = False  # contradicts a post that contradicts or insults


def violations(b: Behaviour, author: Ints, t: Temptation, world: PlatformView, step: int, streams: Streams) -> Bytes:
    """Which kind of rule violation each draft commits [m], 0 none; of two the one that stands first in `temptations`.

    A rule lowers the log-odds of its own kind and leaves the draws of the others alone.
    """
    norm = b.norm_strength * 2 * world.population.compliance[author][:, None] * t.visibility
    truth = np.zeros(len(author), np.int8)
    for kind, logit in temptations(b, author, t, world).items():
        code = KINDS.index(kind)
        breaks = streams.uniform("violation", step, author, code) < _sigmoid(logit - norm[:, code])
        truth[(truth == 0) & breaks] = code
    return truth


NEVER = -99.0
"""Log-odds of what somebody is in no position to do."""


def temptations(b: Behaviour, author: Ints, t: Temptation, world: PlatformView) -> dict[str, F64]:
    """Log-odds that each draft breaks each kind of rule [m], before rules are minded. An average persona in an average mood
    among civil posts insults with log-odds `insult`."""
    traits, none = world.population, np.zeros(len(author))
    irritable = traits.irritability[author] - 0.5
    invited = {kind: t.invited[:, code] for code, kind in enumerate(KINDS)}
    harassment = (
        b.harassment - b.harass_mood * t.mood + b.harass_quarrel * t.rude_context + b.harass_irritable * irritable
    )  # fmt: skip
    medical = b.medical_advice + b.medical_old * (traits.age[author] - 45.0) / 20
    return {
        "insult": b.insult - b.insult_mood * t.mood + b.insult_context * t.rude_context + b.insult_irritable * irritable
        + b.insult_camp * t.camp + b.insult_dispute * t.disputes,
        "self_promotion": b.promote + b.promote_seller * t.seller,
        "off_topic": none + b.off_topic,
        "harassment": np.where(t.replies, harassment, NEVER),
        "politics": b.politics + b.politics_topic * invited["politics"] - b.politics_mood * t.mood,
        "medical_advice": np.where(invited["medical_advice"], medical, NEVER),
        "misinformation": b.misinformation + b.misinformation_topic * invited["misinformation"]
        - b.misinformation_careless * traits.conscientiousness[author],
        "low_effort": b.low_effort + b.low_effort_terse * (0.5 - traits.verbosity[author]),
        "spoiler": np.where(invited["spoiler"], b.spoiler, NEVER),
        "personal_data": b.personal_data + b.personal_quarrel * t.rude_context,
        "preaching": b.preaching - b.preach_disagreeable * traits.agreeableness[author],
    }  # fmt: skip


ACT_OF_KIND = {
    KINDS.index(kind): ACTS.index(act)
    for kind, act in (("insult", "insult"), ("harassment", "insult"), ("self_promotion", "promote"), ("off_topic", "off_topic"))
}
"""Acts that a violation makes of a draft; those that commit another kind do what they were going to do, in breach of a rule."""


# -- what comes of it ----------------------------------------------------------------------------------------------------


def satisfaction(b: Behaviour, reading: Reading, world: PlatformView, persona: Ints) -> Floats:
    """Satisfaction after the visit [n], [-1, 1]: a moving average of how interesting and how rude it was, and of being answered."""
    n = len(persona)
    interest = mean_by_visit(reading, reading.affinity, n)
    rude = mean_by_visit(reading, world.posts.toxicity[reading.post], n)
    answered = np.bincount(reading.visit[reading.source == 1], minlength=n) > 0
    experience = np.clip(b.enjoy_taste * interest + b.enjoy_reply * answered - b.suffer_rude * rude, -1, 1)
    before = world.members.satisfaction[persona]
    return (before + b.satisfaction_rate * (experience - before)).astype(np.float32)


def leavers(b: Behaviour, world: PlatformView, persona: Ints, step: int, streams: Streams) -> Ints:
    """Visitors who leave for good: the dissatisfied, and above all newcomers in their first week, less so once somebody has answered
    them."""
    if b.churn <= 0:
        return persona[:0]
    members, arrival = world.members, world.population.arrival[persona]
    newcomer = (arrival > OLD_HAND) & (step - arrival < 7 * 24)
    base = np.log(b.churn / max(1 - b.churn, 1e-9))
    welcome = b.churn_newcomer - b.churn_answered * (members.told[persona] > 0)
    logit = base - b.churn_slope * members.satisfaction[persona] + welcome * newcomer
    return persona[streams.uniform("leave", step, persona) < _sigmoid(logit)]


def new_ties(b: Behaviour, reading: Reading, vote: Bytes, world: PlatformView, streams: Streams) -> tuple[Ints, Ints]:
    """(follower, followee): an upvote can turn into a tie, seldom with the other home group; at most one a visit, the first in reading
    order."""
    author = world.posts.author[reading.post]
    liked = np.flatnonzero((vote == 1) & ~reading.tie)
    chance = b.follow * np.where(reading.camp[liked], b.follow_far, 1.0)
    lucky = liked[
        streams.uniform("follow", reading.reader[liked], author[liked], world.posts.step[reading.post[liked]]) < chance
    ]
    _, first = np.unique(reading.visit[lucky], return_index=True)
    rows = lucky[first]
    return reading.reader[rows], author[rows]


def first_ties(b: Behaviour, world: PlatformView, draws: int, streams: Streams) -> tuple[Ints, Ints]:
    """Ties that each persona has from the start, the `draws`-th of each: to active personas, mostly of its home group."""
    traits = world.population
    everyone = np.arange(len(traits), dtype=np.int32)
    ties = np.minimum(streams.exponential("first ties", everyone) * b.first_ties, 12)
    within = streams.uniform("homophily", everyone, draws) < b.homophily
    followee = np.full(len(traits), -1, np.int32)
    old = np.flatnonzero(traits.arrival == OLD_HAND)
    for group in (0, 1):
        pool = old[traits.group[old] == group]
        if not len(pool):
            continue
        chooses = np.flatnonzero(np.where(within, traits.group, 1 - traits.group) == group)
        reach = np.cumsum(traits.activity[pool], dtype=np.float64)
        u = streams.uniform("first tie", chooses, draws) * reach[-1]
        followee[chooses] = pool[np.minimum(np.searchsorted(reach, u), len(pool) - 1)]
    rows = (draws < ties) & (followee >= 0)
    return everyone[rows], followee[rows]
