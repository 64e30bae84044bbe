"""Who writes how much: shares of the busiest, lurkers, and the tail of posting."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from simulacra.analysis.facts import NAN, Array, Facts, mean, top_share

LEAST_WRITERS = 20
"""Below so many writers no tail is fitted."""
TAIL_LEVEL = 0.05


def top10_share(facts: Facts) -> float:
    """Posts written by the tenth of posters who write most, as a share of all, [0, 1] (four forums, whole life: .61 to .78);
    NaN without posts. S1-S3."""
    return top_share(_posts_of_posters(facts), 0.1)


def top1_share(facts: Facts) -> float:
    """Posts written by the hundredth of posters who write most (at least one), as a share of all, [0, 1] (four forums: .18 to
    .59); NaN without posts. S3."""
    return top_share(_posts_of_posters(facts), 0.01)


def one_post_share(facts: Facts) -> float:
    """Posters who wrote exactly once, [0, 1] (forums in a week: .47); NaN without posts. S1."""
    return mean(_posts_of_posters(facts) == 1)


def lurker_share(facts: Facts) -> float:
    """Members who came and never posted, among those who came, [0, 1] (the 90-9-1 rule says .9, small communities down to .6);
    NaN without visits. S4."""
    came = np.zeros(facts.personas, bool)
    came[facts.visits[1]] = True
    return mean(facts.posts_by_author[came] == 0)


class Tail(NamedTuple):
    """A power law fitted to the tail of counts, against a lognormal (Clauset, Shalizi and Newman 2009)."""

    alpha: float  # exponent of the power law
    start: float  # the tail begins here
    ratio: float  # log-likelihood ratio: above 0 the power law fits better, below 0 the lognormal
    p: float  # chance of so large a ratio, of either sign, where both fit equally
    counted: int  # counts above 0

    @property
    def scale_free(self) -> bool:
        """Whether that may be claimed: the ratio prefers the power law, and clearly."""
        return self.ratio > 0 and self.p < TAIL_LEVEL

    @property
    def sentence(self) -> str:
        """What may be said."""
        if not np.isfinite(self.alpha):
            return f"Too few to fit a tail ({self.counted}; at least {LEAST_WRITERS} are needed)."
        figures = f"alpha {self.alpha:.2f}, log-likelihood ratio {self.ratio:+.2f}, p {self.p:.2f}"
        if self.p >= TAIL_LEVEL:
            return f"Power law and lognormal cannot be told apart here ({figures}): not to be called scale-free."
        better = "A power law" if self.ratio > 0 else "A lognormal"
        return f"{better} fits the tail better ({figures}): {'scale-free' if self.ratio > 0 else 'not scale-free'}."


def tail(counts: Array) -> Tail:
    """The tail of whole-number counts; zeros are left out. NaN where fewer than 20 are left or all are equal.

    By the `powerlaw` package: the start is where the fitted law lies nearest to the data (Kolmogorov-Smirnov).
    """
    counts = np.asarray(counts)
    counts = counts[counts > 0]
    if len(counts) < LEAST_WRITERS or not np.ptp(counts):
        return Tail(NAN, NAN, NAN, NAN, len(counts))
    import powerlaw  # late: it imports matplotlib, a second

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # its optimiser talks of starting values outside its own bounds
        fit = powerlaw.Fit(counts, discrete=True, verbose=False)
        against, p = fit.distribution_compare("power_law", "lognormal")
        return Tail(float(fit.power_law.alpha), float(fit.power_law.xmin), float(against), float(p), len(counts))


def posting_tail(facts: Facts) -> Tail:
    """The tail of posts per poster (four forums: alpha 1.9 to 2.7, none clearly a power law). S5."""
    return tail(facts.posts_by_author)


def tail_alpha(facts: Facts) -> float:
    """Exponent of a power law fitted to posts per poster, above 1 (forums: 1.9 to 2.7); NaN under 20 posters. S5."""
    return posting_tail(facts).alpha


def tail_ratio(facts: Facts) -> float:
    """Log-likelihood ratio of power law over lognormal for posts per poster: below 0 the lognormal fits better (forums: +.08 to
    -5.5). "Scale-free" only where it is clearly above 0 (`Tail.scale_free`). NaN under 20 posters. S5."""
    return posting_tail(facts).ratio


def _posts_of_posters(facts: Facts) -> Array:
    counts = facts.posts_by_author
    return counts[counts > 0]
