"""What the simulation records: one table a kind of event, one row an event.

Every frame, measure and page is a fold over these tables. `TABLES` is the only definition of their columns: the kernel fills
them, the record writes them, `docs/format.md` is checked against them. Steps are simulated hours: 0 is the first hour of the
first measured day, burn-in hours are negative. Ids are dense integers from 0; -1 means "none".
"""

from __future__ import annotations

from typing import NamedTuple

ACTS = ("share", "ask", "answer", "agree", "disagree", "joke", "vent", "thank", "promote", "insult", "off_topic")
"""What a post does. The order is the code stored in arrays."""

KINDS = (
    "none", "insult", "harassment", "self_promotion", "off_topic", "politics", "medical_advice",
    "misinformation", "low_effort", "spoiler", "personal_data", "preaching",
)  # fmt: skip
"""Kinds of rule violation; a draft's *truth* is one of these, 0 where it breaks no rule."""

STRATA = ("none", "both", "lexical", "semantic", "neither")
"""Which kind of scorer sees an uncivil post: both, only a word-based one, only an embedding-based one, neither."""

SOURCES = ("feed", "notification")
"""Where an impression came from: the ranked slate, or a notice that somebody replied to the reader or in a thread that it opened."""

SAYINGS = ("none", "tells", "asks", "doubts", "corrects", "invites", "comes", "declines", "welcomes")
"""What a post says of a piece of news: passes it on, asks whether it is true, doubts it, says that it is false; invites to a
meet-up, will come, will not, is glad of somebody who comes or asks."""

AWARENESS = ("knew", "learnt", "warned", "accepts", "rejects", "comes", "declines", "came")
"""What happens to a persona and a piece of news: knew it first, learnt it by reading, saw a note under it, takes a rumour for true
or for false, means to come to a meet-up or not, was there."""

REACTIONS = {1: "up", -1: "down", 2: "report"}


class Column(NamedTuple):
    """One column of a table: its name, numpy dtype (`str` for text, `label:NAME` for a dictionary of labels) and meaning."""

    name: str
    dtype: str
    about: str


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


_STEP = ("step", "int32", "simulated hour; negative in burn-in")
_PERSONA = ("persona", "int32", "persona id")

TABLES: dict[str, tuple[Column, ...]] = {
    "visits": _columns(
        _STEP, _PERSONA,
        ("slate", "int8", "posts that the slate offered"),
        ("looked", "int8", "of those, how many were looked at, from the top"),
        ("wrote", "bool", "whether the visit produced a draft"),
    ),
    "impressions": _columns(
        _STEP, _PERSONA,
        ("post", "int32", "post id"),
        ("position", "int8", "place in the slate, 0 on top"),
        ("source", "label:SOURCES", "feed, or notification of a reply to the reader or in its thread"),
    ),
    "reactions": _columns(
        _STEP, _PERSONA,
        ("post", "int32", "post id"),
        ("reaction", "int8", "1 upvote, -1 downvote, 2 report"),
    ),
    "posts": _columns(
        ("id", "int32", "post id, in order of writing over the whole run"),
        _STEP,
        ("author", "int32", "persona id"),
        ("parent", "int32", "post replied to; -1 opens a thread"),
        ("root", "int32", "post that opened the thread; its own id where parent is -1"),
        ("depth", "int16", "0 opens a thread, 1 answers it, and so on"),
        ("act", "label:ACTS", "what the post does"),
        ("topic", "label:topics", "topic of the community"),
        ("text", "str", "the words"),
        ("toxicity", "float32", "lexical scorer, [0, 1], own scale: compare runs, do not read levels as rates"),
        ("valence", "float32", "VADER compound of the words, [-1, 1]"),
        ("positive", "float32", "share of words that are positive in the VADER lexicon, [0, 1]"),
        ("negative", "float32", "share of words that are negative in the VADER lexicon, [0, 1]"),
        ("words", "int16", "words in the text"),
        ("mood", "float32", "the author's mood when writing, [-1, 1]"),
        ("truth", "label:KINDS", "which kind of rule the draft breaks; hidden from policies and scorers"),
        ("stratum", "label:STRATA", "for uncivil posts: which kind of scorer sees it"),
        ("rule", "int8", "number of the community's rule that it breaks, from 1; 0 where no rule covers it"),
    ),
    "rulings": _columns(
        _STEP,
        ("post", "int32", "post id; -1 where the draft was never posted, or the ruling is on a persona"),
        ("author", "int32", "persona ruled on"),
        ("policy", "label:policies", "moderation design that ruled"),
        ("action", "label:ACTIONS", "what was done"),
        ("rule", "int8", "rule number given as the reason, from 1; 0 none"),
        ("reason", "str", "the reason, in words"),
        ("minutes", "float32", "moderator minutes spent"),
        ("toxicity", "float32", "score of the draft as first written, [0, 1]; 0 for rulings on a persona"),
        ("truth", "label:KINDS", "which kind of rule the draft broke; hidden from policies"),
        ("until", "int32", "step at which a mute, or an author's memory of being told, ends; -1 otherwise"),
    ),
    "follows": _columns(
        _STEP,
        ("follower", "int32", "persona id"),
        ("followee", "int32", "persona id"),
    ),
    "departures": _columns(_STEP, _PERSONA, ("reason", "label:DEPARTURES", "why the persona left for good")),
    "moods": _columns(
        _STEP, _PERSONA,
        ("mood", "float32", "[-1, 1], at the end of the day"),
        ("satisfaction", "float32", "[-1, 1], at the end of the day"),
    ),
    "mentions": _columns(
        _STEP,
        ("post", "int32", "post id"),
        ("author", "int32", "persona id"),
        ("item", "int8", "which piece of news it speaks of: its place in the arm's list, from 0"),
        ("saying", "label:SAYINGS", "what it says of it"),
    ),
    "awareness": _columns(
        _STEP, _PERSONA,
        ("item", "int8", "which piece of news: its place in the arm's list, from 0"),
        ("what", "label:AWARENESS", "what happened to the persona and the news"),
        ("post", "int32", "the post that did it; -1 where none did"),
    ),
    "thoughts": _columns(
        _STEP, _PERSONA,
        ("text", "str", "what the persona concluded from what it remembers, as the model put it"),
        ("failure", "str", "why the model gave no thought; text is empty then"),
    ),
    "failures": _columns(_STEP, _PERSONA, ("reason", "str", "why a draft could not be written; the persona acts again later")),
}  # fmt: skip

ACTIONS = (
    "remove", "keep", "mute", "ban", "cancel", "revise", "send", "hold", "release", "refuse", "label", "collapse", "expand",
    "demote", "limit", "lock", "warn", "restore", "unmute", "welcome",
)  # fmt: skip
"""What a ruling does. On a post: `remove`, `keep`, `label`; `hold` until somebody looks, then `release`; `collapse`, `expand`
(folded away and back), `demote` (shown lower), `limit` (shown to few), `lock` (its thread takes no replies), `restore` (removed
by mistake). On a persona: `mute`, `unmute`, `ban`, `warn`, `welcome`. On a draft that is not posted: `refuse`. An author's
answers to a think-twice prompt: `cancel`, `revise`, `send`."""

DEPARTURES = ("dissatisfied", "banned")

LABELS = {
    "ACTS": ACTS, "KINDS": KINDS, "STRATA": STRATA, "SOURCES": SOURCES, "ACTIONS": ACTIONS, "DEPARTURES": DEPARTURES,
    "SAYINGS": SAYINGS, "AWARENESS": AWARENESS,
}  # fmt: skip
"""Fixed label sets. The sets `topics` and `policies` depend on the run and stand in run.json."""
