"""Moderation designs: levers that act before a draft is posted or after readers have seen it. A run holds a list of them."""

from simulacra.moderation.filters import DEFAULT_WORDS
from simulacra.moderation.making import POLICIES, check_askable, make_policies
from simulacra.moderation.people import HumanReview
from simulacra.moderation.policy import Policy, rulings

__all__ = ["DEFAULT_WORDS", "POLICIES", "HumanReview", "Policy", "check_askable", "make_policies", "rulings"]
