"""Figures that are effects: what an experiment inside one seed found. Each is one number a seed; NaN where there was nothing to count.

Arms share people, chances and past, so every figure is a paired difference or ratio. Where a figure was published as a change of a
share at a base rate that ours is far from (a third of all comments trolls), the odds ratio is taken here and told at their base rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from simulacra import behaviour as model
from simulacra.analysis.diffusion import spread
from simulacra.analysis.facts import Array, Facts, gini, mean, ratio
from simulacra.analysis.groups import ei_follows, ei_replies, partisan_following
from simulacra.analysis.measures import ALL
from simulacra.analysis.tone import TOXIC
from simulacra.analysis.writers import lurker_share
from simulacra.behaviour import Temptation
from simulacra.events import KINDS
from simulacra.simulation import Simulation
from simulacra.streams import Streams
from simulacra.studies.contagion import Omission, Omit, openings, over_exposure, twin_effect
from simulacra.studies.contagion import spread as persona_spread
from simulacra.studies.fidelity.world import World
from simulacra.studies.quantities import Played

Effect = Callable[[World], float]

CHRONOLOGICAL, ENGAGEMENT = "feed=chronological", "feed=engagement"
INSULT = KINDS.index("insult")


def difference(measure: str, settings: str, against: str = "") -> Effect:
    """A measure under some settings minus the same under others."""
    function = ALL[measure].function

    def value(w: World) -> float:
        return float(function(w.arm(settings).facts) - function(w.arm(against).facts))

    return value


def change(measure: str, settings: str, against: str = "") -> Effect:
    """The same, as a share of the level under the others."""
    function = ALL[measure].function

    def value(w: World) -> float:
        return ratio(function(w.arm(settings).facts), function(w.arm(against).facts)) - 1

    return value


def at_base_rate(base: float, odds_ratio: float) -> float:
    """The share that an odds ratio makes of a base rate, [0, 1]."""
    odds = base / (1 - base) * odds_ratio
    return odds / (1 + odds)


# -- S4 --------------------------------------------------------------------------------------------------------------------


def lurkers_by_size(w: World) -> float:
    """Share of visitors who never post in a community, minus that in one of a fifth of its size."""
    return lurker_share(w.arm().facts) - lurker_share(w.arm(personas=max(20, w.size.arm_personas // 5)).facts)


# -- S19: a fake vote ------------------------------------------------------------------------------------------------------


class Herding(NamedTuple):
    """What one fake vote at birth did to the votes that a post got from readers, as a share of what it gets without."""

    up: float
    down: float


def _third(author: Array, step: Array, streams: Streams) -> Array:
    """[posts] which treatment each post gets: 0 a fake upvote, 1 none, 2 a fake downvote."""
    return streams.integers(3, "fake vote", author, step)


def fake_votes(w: World) -> Herding:
    """Posts are randomised to a fake upvote, none or a fake downvote as they are published, under a chronological feed (order by
    votes would be another effect), and compared with themselves in the same world without fake votes. Readers' votes alone count."""
    seen = 0

    def vote(sim: Simulation) -> None:
        nonlocal seen
        posts = sim.platform.posts
        seen = seen or int(np.searchsorted(posts.step[: len(posts)], 0))
        new = np.arange(seen, len(posts))
        group = _third(posts.author[new], posts.step[new], sim.streams)
        posts.up[new[group == 0]] += 1
        posts.down[new[group == 2]] += 1
        seen = len(posts)

    plain, faked = w.arm(CHRONOLOGICAL), w.treated(CHRONOLOGICAL, each_hour=vote)
    here, there = _same_posts(faked.facts, plain.facts)
    group = _third(faked.facts.posts.author[here], faked.facts.posts.step[here], faked.sim.streams)
    got, usual = _net_votes(faked.facts)[here], _net_votes(plain.facts)[there]
    return Herding(*(ratio(got[group == g].sum(), usual[group == g].sum()) - 1 for g in (0, 2)))


def _same_posts(a: Facts, b: Facts) -> tuple[Array, Array]:
    """Rows of the posts that were written in both, by author and hour."""
    key_a, key_b = (f.posts.author.astype(np.int64) << 32 | (f.posts.step + 10_000) for f in (a, b))
    _, here, there = np.intersect1d(key_a, key_b, return_indices=True)
    measured = a.posts.step[here] >= 0
    return here[measured], there[measured]


def _net_votes(facts: Facts) -> Array:
    """[posts] upvotes less downvotes of readers in the measured days."""
    row, reaction = facts.rows_of(facts.column("reactions", "post")), facts.column("reactions", "reaction")
    return np.bincount(row, np.where(reaction == 2, 0, reaction), minlength=len(facts.posts.id))


def upvote_herding(w: World) -> float:
    """What a fake upvote adds to the final score, as a share."""
    return _herding(w).up


def herding_asymmetry(w: World) -> float:
    """What a fake upvote adds less what a fake downvote takes away, as shares: above 0 where downvotes are corrected."""
    found = _herding(w)
    return found.up + found.down


def _herding(w: World) -> Herding:
    return w.once("fake votes", fake_votes)


# -- S20, S21: contagion ---------------------------------------------------------------------------------------------------


class Omitted(NamedTuple):
    """What withholding posts of one sign did."""

    effect: dict[str, float]  # on persona means of self-opened threads, by outcome: those of the twin world subtracted
    spread: dict[str, float]  # deviation of persona means
    words: float  # change of all words written, as a share


def withhold(w: World, omit: Omit) -> Omitted:
    """A share of the posts of one sign is withheld from everybody."""
    twin = w.arm()
    everybody = Omission.drawn(omit, len(twin.people), twin.sim.streams, everyone=True)
    treated = w.treated("", exposure=everybody)
    own, usual = openings(treated.sim, treated.frames), openings(twin.sim, twin.frames)
    words = ratio(_words(treated), _words(twin)) - 1
    return Omitted(twin_effect(own, usual, None), persona_spread(usual), words)


def _words(arm: Played) -> int:
    return int(arm.frames.arrow("posts", columns=["words"])["words"].to_numpy().sum(dtype=np.int64))


def _omitted(w: World, omit: Omit) -> Omitted:
    return w.once(f"omit {omit}", lambda w: withhold(w, omit))


def omission(omit: Omit, outcome: str) -> Effect:
    """Change of an outcome of self-opened threads where a share of the posts of one sign is withheld from everybody."""
    return lambda w: _omitted(w, omit).effect[outcome]


def withdrawal(omit: Omit) -> Effect:
    """Change of all words written, as a share, where posts of one sign are withheld."""
    return lambda w: _omitted(w, omit).words


def omission_d(w: World) -> float:
    """Size of the change of positive words where positive posts are withheld, in deviations of persona means."""
    found = _omitted(w, "positive")
    return abs(ratio(found.effect["positive"], found.spread["positive"]))


def exposure_before(omit: Omit, settings: str = "") -> Effect:
    """Over-exposure to posts of a sign before writing one of that sign, against exposures shuffled within persona."""

    def value(w: World) -> float:
        arm = w.arm(settings)
        return over_exposure(arm.frames, arm.sim.streams, omit)

    return value


# -- S22: mood and context make trolls -------------------------------------------------------------------------------------

LAB_SHARE = 0.35
"""Share of troll comments in a good mood among civil ones (Cheng et al. 2017)."""


class Trolling(NamedTuple):
    """Odds of an insult against a good mood among civil posts."""

    mood: float
    context: float
    both: float


def _trolling(w: World) -> Trolling:
    return w.once("trolling", trolling)


def trolling(w: World) -> Trolling:
    """The model's own chance of an insult for every draft of a run, with mood and context set as in the lab: moods one deviation below
    and above the mean, among civil posts and among toxic ones."""
    arm = w.arm()
    author, mood = arm.post("author")[arm.new], arm.frames.arrow("posts", columns=["mood"])["mood"].to_numpy()
    toxicity = arm.post("toxicity")[arm.new]
    civil, toxic = toxicity[toxicity <= TOXIC].mean(), toxicity[toxicity > TOXIC].mean() if (toxicity > TOXIC).any() else np.nan
    bad, good = mood.mean() - mood.std(), mood.mean() + mood.std()

    def odds(mood: float, context: float) -> float:
        share = float(_insults(arm, author, mood, 1.5 * context).mean())  # what is answered counts 1, what stands around .5
        return share / (1 - share)

    neither = odds(good, civil)
    return Trolling(odds(bad, civil) / neither, odds(good, toxic) / neither, odds(bad, toxic) / neither)


def _insults(arm: Played, author: Array, mood: float, context: float) -> Array:
    n, none = len(author), np.zeros(len(author), bool)
    kinds = np.zeros((n, len(KINDS)))
    tempted = Temptation(np.full(n, mood), np.full(n, context), none, none, kinds, ~none, kinds > 0)
    logit = model.temptations(arm.sim.arm.behaviour, author, tempted, arm.world)["insult"]
    return np.asarray(1 / (1 + np.exp(-logit)))


def trolls_both(w: World) -> float:
    """Share of trolls in a bad mood among trolls over that in a good mood among civil posts, at the lab's base rate."""
    return at_base_rate(LAB_SHARE, _trolling(w).both) / LAB_SHARE


def trolls_one(w: World) -> float:
    """The same where only one of the two is bad, the mean of both; above 1."""
    found = _trolling(w)
    return float(np.mean([at_base_rate(LAB_SHARE, odds) / LAB_SHARE for odds in (found.mood, found.context)]))


# -- S24 to S29: feeds -----------------------------------------------------------------------------------------------------


def _amplified(values: Callable[[Facts], Array]) -> Effect:
    """How much more of something readers meet under an engagement feed than under a chronological one, in deviations over posts."""

    def value(w: World) -> float:
        more, less = w.arm(ENGAGEMENT).facts, w.arm(CHRONOLOGICAL).facts
        return ratio(mean(values(more)[more.seen]) - mean(values(less)[less.seen]), float(values(less)[less.written].std()))

    return value


def _across(facts: Facts) -> Array:
    """[posts] toxicity of replies to the other home group; 0 for the rest."""
    posts, parent = facts.posts, facts.parent_row
    crosses = (parent >= 0) & (facts.group[posts.author] != facts.group[posts.author[np.maximum(parent, 0)]])
    return np.asarray(posts.toxicity * crosses)


def time_spent(w: World) -> float:
    """Change of the posts that members read, as a share, under a chronological feed against an engagement feed: reading is what takes
    time here."""
    return ratio(len(w.arm(CHRONOLOGICAL).facts.seen), len(w.arm(ENGAGEMENT).facts.seen)) - 1


anger_amplified = _amplified(lambda facts: facts.posts.toxicity)
animosity_amplified = _amplified(_across)
gloom_amplified = _amplified(lambda facts: -facts.posts.valence)


def well_being(settings: str, against: str = "") -> Effect:
    """Mean mood under a design less that under another, in deviations of moods over members and days."""

    def value(w: World) -> float:
        other, usual = (w.arm(s).facts.column("moods", "mood") for s in (settings, against))
        return ratio(mean(other) - mean(usual), float(usual.std()))

    return value


def author_gini(facts: Facts) -> float:
    """Gini of upvotes by member, over those who posted."""
    of_author = np.bincount(facts.posts.author, facts.upvotes * facts.written, minlength=facts.personas)
    return gini(of_author[facts.posts_by_author > 0])


def gini_gap(settings: str, against: str = ENGAGEMENT) -> Effect:
    """Inequality of upvotes by member under a design less that under another."""
    return lambda w: author_gini(w.arm(settings).facts) - author_gini(w.arm(against).facts)


def ei_gap(settings: str, against: str) -> Effect:
    """E-I index of replies under a feed less that under another."""
    return lambda w: ei_replies(w.arm(settings).facts) - ei_replies(w.arm(against).facts)


def ei_level(settings: str) -> Effect:
    """E-I index of replies under a feed."""
    return lambda w: ei_replies(w.arm(settings).facts)


def ei_highest(w: World) -> float:
    """Largest E-I index of new ties over the designs of the six interventions."""
    designs = (ENGAGEMENT, CHRONOLOGICAL, "feed=downplay_dominant", "feed=bridging", "feed=cross_group", "feed=hide_counts")
    return max(ei_follows(w.arm(design).facts) for design in designs)


def partisan_gap(w: World) -> float:
    """Correlation of one-sidedness with followers gained under a chronological feed less that under engagement ranking."""
    return partisan_following(w.arm(CHRONOLOGICAL).facts) - partisan_following(w.arm(ENGAGEMENT).facts)


# -- S30 to S34: moderation ------------------------------------------------------------------------------------------------

_JOINING = "newcomers=0.1"
COMPLIANT = 0.52
"""Share of newcomers' first comments that keep the rules without a pin (Matias 2019)."""


def newcomers_comply(w: World) -> float:
    """Change in percentage points of newcomers' compliance with the rules once they are pinned, at the field's base rate."""
    odds = [_odds(w.arm(f"{_JOINING} moderation={design}").facts) for design in ("none", "sticky_rules")]
    return 100 * (at_base_rate(COMPLIANT, odds[0] / odds[1]) - COMPLIANT)


def _odds(facts: Facts) -> float:
    """Odds that a newcomer's post breaks a rule; half a post more on either side, so that none is no infinity."""
    rows = facts.written & (facts.arrival[facts.posts.author] >= 0)
    broken = int(facts.posts.forbidden[rows].sum())
    return (broken + 0.5) / (int(rows.sum()) - broken + 0.5)


_PROMPT = "moderation=reconsider"


def prompted_yield(w: World) -> float:
    """Of drafts whose authors are asked to reconsider, the share that is cancelled or worded anew."""
    told = w.arm(_PROMPT).frames.arrow("rulings", columns=["reason"])["reason"].to_pylist()
    return mean(np.array([reason != "sent as it was" for reason in told]))


prompted_change = change("toxic_share", _PROMPT, "moderation=none")


def rudeness_gap(settings: str, against: str) -> Effect:
    """Posts meant to be rude per 100, under a policy less those under another."""
    return difference("uncivil_per_100", f"moderation={settings}", f"moderation={against}")


Count = Literal["likes", "replies", "views"]


def noted(count: Count, delay: int = 12, *, life: bool = False) -> Effect:
    """Change, as a share, in what posts get once a note stands under them, against the same posts where nobody writes notes.

    life: over all hours, those before the note included. delay: hours from the reports to the note.
    """

    def value(w: World) -> float:
        arm, usual = w.arm(f"moderation=label moderation.label.delay={delay}"), w.arm("moderation=none")
        here, there = _same_posts(arm.facts, usual.facts)
        when = np.full(len(arm.facts.posts.id), -1)
        rulings = arm.facts.post_rulings
        when[rulings.row[rulings.action == "label"]] = rulings.step[rulings.action == "label"]
        rows = when[here] >= 0
        here, there, since = here[rows], there[rows], np.zeros(rows.sum(), int) if life else when[here][rows]
        return ratio(_got(arm.facts, count, here, since), _got(usual.facts, count, there, since)) - 1

    return value


def _got(facts: Facts, count: Count, rows: Array, since: Array) -> int:
    """How many upvotes, replies or readings these posts got after these hours."""
    post, step = _events(facts, count)
    start = np.full(len(facts.posts.id), np.iinfo(np.int64).max)
    start[rows] = since
    return int((step > start[post]).sum())


def _events(facts: Facts, count: Count) -> tuple[Array, Array]:
    """Rows of `posts` and steps of what is counted."""
    if count == "replies":
        return facts.parent_row[facts.replies], facts.posts.step[facts.replies]
    if count == "views":
        return facts.seen, facts.column("impressions", "step")
    liked = facts.column("reactions", "reaction") == 1
    return facts.rows_of(facts.column("reactions", "post")[liked]), facts.column("reactions", "step")[liked]


def later_is_weaker(w: World) -> float:
    """How much more a note after an hour takes from a post's likes over its whole life than one after two days, as a share."""
    return noted("likes", 48, life=True)(w) - noted("likes", 1, life=True)(w)


# -- S41: a party ----------------------------------------------------------------------------------------------------------

TOWN = 25
"""Members of the town in which the party is given (Park et al. 2023)."""
_PARTY = 'news.add={kind="invitation", words="a picnic by the river", when="day 2 20:00"}'


_AWAKE = ("away=off", "lurkers=off")
"""The agents of that town were about all day, and all of them spoke."""


def _party(w: World, *behaviour: str) -> Played:
    return w.arm((_PARTY, *_AWAKE, *behaviour), personas=TOWN, days=2)


def party_aware(w: World) -> float:
    """Share of the town that knows of the party after two days."""
    return spread(_party(w).facts, 0).aware


def party_coming(w: World) -> float:
    """Of those told of it, the share that means to come; NaN where nobody was told."""
    return spread(_party(w).facts, 0).coming


def party_silent(w: World) -> float:
    """Members besides the host who know of it where nobody speaks of it."""
    found = spread(_party(w, "news_mention=off").facts, 0)
    return float(found.knowers - found.first)
