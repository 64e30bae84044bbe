"""What a record says to a question put to one persona: sentences in the first person, each true of the record.

A question is read for its subject (leaving, mood, moderation, company, reading, rudeness, wishes, the person) by plain patterns, and
for what it is about by nearness of meaning to what the persona wrote and read. It is no understanding of language, and says so
where nothing bears on a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from simulacra.analysis.measures import TOXIC
from simulacra.branches.dossier import UNCIVIL, Dossier, Read, Wrote
from simulacra.minds.memory import Embedder
from simulacra.minds.prompts import clipped, mood_word
from simulacra.scoring.semantic import WeightsError, embed, word_nearness

NEAR, NEAR_BY_WORDS = 0.35, 0.3
"""Nearness from which a text is about a question: cosine of MiniLM's vectors, or of word sets where its weights cannot be used.
Questions about something else ("Do you own a dog?") came to 0.25 at most in a run of trip planners."""
MOST_FACTS = 6
MOST_READ = 400
"""Latest posts read that are compared with a question."""


class Fact(NamedTuple):
    """A sentence that is true of the record, and the posts it rests on."""

    text: str
    posts: tuple[int, ...] = ()


def facts_of(known: Dossier, question: str, embedder: Embedder = embed) -> list[Fact]:
    """What the record says to a question, what matters most first; at least one fact, be it that there is none."""
    low = question.lower()
    found = [fact for asked, tell in _SUBJECTS if re.search(asked, low) for fact in tell(known)]
    found += [Fact(f"I remember this: {_cited(words)}") for words in known.recalled(question)]
    found += _on_topic(known, question, embedder, with_reading=not found)
    if not found:
        found = [Fact("I have written and read nothing near that, so I cannot say."), *_who(known), *_moods(known)[:1]]
    return _unrepeated(found)[:MOST_FACTS]


def _unrepeated(facts: Sequence[Fact]) -> list[Fact]:
    """The facts without those that rest on posts which were told of before."""
    kept: list[Fact] = []
    told: set[int] = set()
    for fact in facts:
        if fact not in kept and not (fact.posts and told.issuperset(fact.posts)):
            kept.append(fact)
            told |= set(fact.posts)
    return kept


# -- subjects --------------------------------------------------------------------------------------------------------------


def _who(known: Dossier) -> list[Fact]:
    job = f"{known.age}, {known.work}" if known.work else str(known.age)
    since = f"I came on {_day(known.arrived)}" if known.arrived is not None else "I was there from the beginning"
    return [Fact(f"I am {known.handle}, {job}, and here mostly for {known.interests[0]}. {since}."), _busy(known)]


def _busy(known: Dossier) -> Fact:
    if not known.visits:
        return Fact("I have not come by in these days.")
    wrote = _plural(len(known.wrote), "post") if known.wrote else "nothing"
    return Fact(f"I came by {_times(known.visits)}, read {_plural(len(known.read), 'post')} and wrote {wrote}.")


def _moods(known: Dossier) -> list[Fact]:
    if not known.days:
        return [Fact("Of my mood nothing was noted in these days.")]
    first, last = known.days[0], known.days[-1]
    low, high = min(known.days, key=lambda d: d.mood), max(known.days, key=lambda d: d.mood)
    course = "" if first is last else f" and {mood_word(last.mood)} on day {last.day}"
    told = [Fact(f"My mood was {mood_word(first.mood)} on day {first.day}{course}.")]
    if low.day not in (first.day, last.day):
        told.append(Fact(f"It was lowest on day {low.day}: {mood_word(low.mood)}."))
    if high.day not in (first.day, last.day):
        told.append(Fact(f"It was best on day {high.day}: {mood_word(high.mood)}."))
    rude = _roughest([r for r in known.read if r.step // 24 + 1 == low.day])
    if rude is not None and rude.toxicity > TOXIC:
        told.append(Fact(f"On day {low.day} I had read this by {rude.author}: {_cited(rude.text)}", (rude.id,)))
    content = Fact(f"With this place I was {_content(last.satisfaction)} in the end ({last.satisfaction:+.2f} of -1 to 1).")
    return [*told, content, _tone(known)]


def _content(satisfaction: float) -> str:
    return "content" if satisfaction > 0.15 else "not content" if satisfaction < -0.15 else "neither content nor discontented"


def _tone(known: Dossier) -> Fact:
    valence = known.mean_valence
    if not known.read:
        return Fact("I have read nothing here.")
    rude = sum(r.toxicity > TOXIC for r in known.read)
    word = "friendly" if valence > 0.25 else "gloomy" if valence < -0.05 else "mixed"
    return Fact(f"What I read was {word} on the whole; {rude} of {_plural(len(known.read), 'post')} read as plainly rude.")


def _leaving(known: Dossier) -> list[Fact]:
    if known.left is None:
        return [Fact(f"I have not left: I was still a member on day {known.last_day}.")]
    step, reason = known.left
    if step < 0:
        return [Fact("I left before the first day.")]
    told = [Fact(f"I left on {_day(step)}: {'I was banned' if reason == 'banned' else 'I had had enough'}.")]
    if known.days:
        last = known.days[-1]
        told.append(Fact(f"At the end of day {last.day} my satisfaction was {last.satisfaction:+.2f} (of -1 to 1)."))
    if known.wrote:
        answered = sum(len(w.replies) for w in known.wrote)
        told.append(Fact(f"My {_plural(len(known.wrote), 'post')} drew {_plural(answered, 'answer')}."))
    last_read = [r for r in known.read if r.step == step]
    if rude := _roughest(last_read):
        seen = f"In my last visit I read {_plural(len(last_read), 'post')}"
        told.append(Fact(f"{seen}; the roughest was by {rude.author}: {_cited(rude.text)}", (rude.id,)))
    return told


def _decisions(known: Dossier) -> list[Fact]:
    removed = [w for w in known.wrote if w.removed_by]
    told = [
        Fact(f"My post of {_day(w.step)} was removed by {_named(w.removed_by)} ({w.reason}): {_cited(w.text)}", (w.id,))
        for w in removed[:3]
    ]
    for ruling in known.decided:
        if done := _DONE.get(ruling["action"]):
            told.append(Fact(f"On {_day(ruling['step'])} {done} ({_named(ruling['policy'])}: {ruling['reason']})."))
    return told[:5] or [Fact("Moderation has never acted on me or on what I wrote.")]


_DONE = {
    "mute": "I was muted", "ban": "I was banned", "warn": "I was warned", "refuse": "a draft of mine was refused",
    "cancel": "I thought again and did not post", "hold": "a post of mine was held back",
}  # fmt: skip


def _company(known: Dossier) -> list[Fact]:
    follow = f"{known.followers} follow me" if known.followers != 1 else "one member follows me"
    told = []
    if known.follows is not None:
        told.append(Fact(f"I follow {_listed(known.follows[:5]) if known.follows else 'nobody'}; {follow}."))
    if partners := known.partners():
        most = [f"{name} ({_times(count)})" for name, count in partners[:3]]
        told.append(Fact(f"I have answered {_listed(most)}."))
    back = [name for w in known.wrote for name in w.replies]
    told.append(Fact(f"{_listed(list(dict.fromkeys(back))[:4])} answered me." if back else "Nobody has answered me."))
    return told


def _reading(known: Dossier) -> list[Fact]:
    told = [_busy(known), _tone(known)]
    for post in sorted(known.read, key=lambda r: -abs(r.valence))[:1]:
        told.append(Fact(f"The strongest in feeling was by {post.author}: {_cited(post.text)}", (post.id,)))
    return told


def _rudeness(known: Dossier) -> list[Fact]:
    """Its rude posts, and what had been read before the roughest."""
    rude = [w for w in known.wrote if w.is_rude]
    if not rude:
        return [Fact(f"None of my {_plural(len(known.wrote), 'post')} was rude." if known.wrote else "I have written nothing.")]
    count = f"{len(rude)} of my {_plural(len(known.wrote), 'post')} {'was' if len(rude) == 1 else 'were'} rude."
    return [Fact(count), *_occasion(known, max(rude, key=lambda w: (w.truth in UNCIVIL, w.toxicity)))]


def _plans(known: Dossier) -> list[Fact]:
    return [Fact(f"I mean to {plan}.") for plan in known.plans()]


def _latest(known: Dossier) -> list[Fact]:
    return _occasion(known, known.wrote[-1]) if known.wrote else [Fact("I have written nothing.")]


def _occasion(known: Dossier, post: Wrote) -> list[Fact]:
    to = f"to {post.answers}" if post.answers else "as a new thread"
    mood = f"in a mood that was {mood_word(post.mood)}"
    told = [Fact(f"On {_day(post.step)} I wrote, {to} and {mood}: {_cited(post.text)}", (post.id,))]
    before = known.before(post)
    if rude := _roughest(before):
        seen = f"In that visit I had read {_plural(len(before), 'post')}"
        told.append(Fact(f"{seen}, the roughest by {rude.author}: {_cited(rude.text)}", (rude.id,)))
    return told


def _wishes(known: Dossier) -> list[Fact]:
    """No wish is in a record; what went badly is."""
    told = [Fact("I have no wish that was written down; this is what went badly for me.")]
    alone = sum(not w.replies for w in known.wrote)
    if alone:
        told.append(Fact(f"{alone} of my {_plural(len(known.wrote), 'post')} got no answer."))
    down = sum(w.down for w in known.wrote)
    if down:
        told.append(Fact(f"They got {_plural(down, 'vote')} down."))
    rude = _roughest(known.read)
    if rude is not None and rude.toxicity > TOXIC:
        told.append(Fact(f"The roughest that I read was by {rude.author}: {_cited(rude.text)}", (rude.id,)))
    told += [fact for fact in _decisions(known) if fact.posts]
    return told if len(told) > 1 else [Fact("I have no wish that was written down, and nothing went badly for me.")]


_SUBJECTS: tuple[tuple[str, Callable[[Dossier], list[Fact]]], ...] = (
    (r"\bwho are you|\babout yourself|\bintroduce yourself|\btell me about you\b", _who),
    (r"\b(?:leave|left|leaving|quit|go away|gone|come back)\b|\bstill here\b", _leaving),
    (r"\b(?:mood|feel|feeling|felt|happy|sad|angry|upset|enjoy|like it here|how are you|satisf\w*|content)\b", _moods),
    (r"\b(?:moderat\w*|remov\w*|delet\w*|rules?|fair|unfair|bans?|banned|muted?|warn\w*|censor\w*)\b", _decisions),
    (r"\b(?:friends?|follow\w*|know anyone|talk(?:ed|ing)? to|answer(?:s|ed)? you|who do you)\b", _company),
    (r"\b(?:read|reading|see|saw|seen|feed|shown|scroll\w*)\b", _reading),
    (r"\b(?:rude|insult\w*|nasty|attack\w*|lose your temper)\b", _rudeness),
    (r"\b(?:plans?|planning|intend|mean to|going to|will you|next|meet\w*|invit\w*|tomorrow|this week)\b", _plans),
    (r"\bwhy (?:did|do) you (?:write|say|post)\b|\blast post\b", _latest),
    (r"\b(?:change|improve|wish|better|miss(?:ing)?|annoy\w*|complain\w*|dislike|problem)\b", _wishes),
)  # fmt: skip
"""A pattern of a question in lower case, and what the record says to it."""


# -- what a question is about ----------------------------------------------------------------------------------------------


def _on_topic(known: Dossier, question: str, embedder: Embedder, with_reading: bool) -> list[Fact]:
    """What it wrote about the same thing; else, where nothing else bears on the question, what it read."""
    wrote: list[Wrote] = about(question, known.wrote, 3, embedder)
    if wrote:
        return [Fact(f"On {_day(w.step)} I wrote on {w.topic}: {_cited(w.text)}{_became(w)}", (w.id,)) for w in wrote]
    read: list[Read] = about(question, known.read[-MOST_READ:], 2, embedder) if with_reading else []
    if not read:
        return []
    told = [Fact("I have written nothing about that.")]
    return told + [Fact(f"On {_day(r.step)} I read {r.author} on {r.topic}: {_cited(r.text)}", (r.id,)) for r in read]


def about(question: str, texts: Sequence[Wrote] | Sequence[Read], most: int, embedder: Embedder = embed) -> list[Any]:
    """Those of the posts that are about what is asked, the nearest first; [] where none is."""
    if not texts:
        return []
    words = [f"{post.topic}: {post.text}" for post in texts]
    try:
        vectors, least = embedder([question, *words]), NEAR
        near = vectors[1:] @ vectors[0]
    except WeightsError:
        near, least = word_nearness(question, words), NEAR_BY_WORDS
    order = np.argsort(-np.round(near, 3), kind="stable")[:most]
    return [texts[i] for i in order if near[i] >= least]


def _became(post: Wrote) -> str:
    if post.removed_by:
        return f" It was removed by {_named(post.removed_by)}."
    votes = [f"{_plural(n, 'vote')} {way}" for n, way in ((post.up, "up"), (post.down, "down")) if n]
    got = f" It got {_listed(votes)}." if votes else ""
    return got + (f" {_listed(post.replies[:2])} answered." if post.replies else "")


# -- words -----------------------------------------------------------------------------------------------------------------


def in_manner(text: str, manner: dict[str, float]) -> str:
    """The persona's own sentences as it types: lower case, few marks or many. Quotations stay as they were written."""
    parts = re.split(r"(“[^”]*”)", text)
    return "".join(part if at % 2 else _typed(part, manner) for at, part in enumerate(parts))


def _typed(text: str, manner: dict[str, float]) -> str:
    if manner["capitals"] < 0.15:
        text = text.lower()
    if manner["punctuation"] > 0.75:
        text = re.sub(r"\.(?=\s|$)", "!", text, count=1)
    elif manner["punctuation"] < 0.25:
        text = re.sub(r"\.$", "", text)
    return text


def _roughest(posts: Sequence[Read]) -> Read | None:
    return max(posts, key=lambda r: r.toxicity, default=None)


def _day(step: int) -> str:
    return f"day {step // 24 + 1}"


def _named(policy: str) -> str:
    return policy.replace("_", " ")


def _cited(text: str) -> str:
    words = text.replace("“", "'").replace("”", "'")
    return f"“{clipped(words, 220)}”"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
