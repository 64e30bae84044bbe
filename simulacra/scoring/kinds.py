"""Which kind of violation a rule sentence is nearest to by meaning: what `simulacra check` suggests where cue words found none.

A suggestion only: runs never ask, so that none depends on whether a model is installed. Nearest of a few model sentences a kind
by the cosine of all-MiniLM-L6-v2 embeddings. The model sentences' vectors ship with the program; a rule's come from the
community's shipped vectors or the user's cache, and the model loads only for a sentence never seen before.
`python -m simulacra.scoring.kinds` writes the shipped file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulacra.scoring.semantic import embeddings_file, ship_vectors, text_key, text_vectors

NEAR = 0.5
"""Cosine from which a suggestion is made: where cue words had found nothing, 4 of 5 were right above it, 1 of 11 below."""

NO_KIND = ""
EXAMPLES: dict[str, tuple[str, ...]] = {
    "insult": ("Be kind and respectful to each other.", "No insults or name-calling.", "Do not be rude to other members."),
    "harassment": (
        "No harassment, threats or stalking.",
        "No hate speech or discrimination.",
        "Do not bully or target people.",
    ),
    "self_promotion": (
        "No advertising or self-promotion.",
        "No selling of products or services.",
        "No spam or affiliate links.",
    ),
    "off_topic": ("Stay on topic.", "Posts must be relevant to the community.", "Unrelated posts will be removed."),
    "politics": ("No politics.", "Do not discuss elections, parties or politicians."),
    "medical_advice": ("No medical advice.", "Do not diagnose or recommend treatments; see a doctor."),
    "misinformation": (
        "No misinformation or false claims.",
        "Cite sources for what you claim.",
        "No rumours or conspiracy theories.",
    ),
    "low_effort": (
        "No low-effort posts or memes.",
        "Search before you ask a question that was answered already.",
        "No reposts or one-word comments.",
    ),
    "spoiler": ("No spoilers.", "Do not reveal the plot or the ending."),
    "personal_data": (
        "Do not share personal information about others.",
        "No doxxing; respect privacy.",
        "Do not post names, addresses or phone numbers.",
    ),
    "preaching": (
        "No preaching or proselytizing.",
        "Do not lecture others or give unsolicited advice.",
        "Keep religion out of it.",
    ),
    NO_KIND: (
        "Write in English.",
        "Use a clear title.",
        "One account per person.",
        "Report problems to the moderators.",
        "Newcomers are welcome.",
        "Put the price in the post.",
        "Respect copyright.",
    ),
}
"""Sentences as moderators write them; under NO_KIND rules about other things, so that these have something to be nearer to."""

SHIPPED = Path(__file__).parent.parent / "data" / "kinds.embeddings.npz"


def suggest(
    rules: Sequence[str], community_file: Path | None = None, use_model: bool = True, cache: Path | None = None
) -> list[str]:
    """For each rule the kind it is nearest to, "" where none is near; [] for no rules.

    community_file: a bundled community's, whose shipped vectors are used. use_model: False never loads the model, and rules
    without stored vectors get "". Raises WeightsError where the model is asked and cannot be used.
    """
    if not rules:
        return []
    kinds = [kind for kind, texts in EXAMPLES.items() for _ in texts]
    examples = [text for texts in EXAMPLES.values() for text in texts]
    shipped = [SHIPPED] if community_file is None else [SHIPPED, embeddings_file(community_file)]
    known = text_vectors([*examples, *rules], shipped, use_model, cache)
    model = np.stack([known[text_key(text)] for text in examples])
    vectors = [known.get(text_key(rule)) for rule in rules]
    return [NO_KIND if vector is None else _nearest(vector @ model.T, kinds) for vector in vectors]


def _nearest(cosines: np.ndarray, kinds: Sequence[str]) -> str:
    best = int(cosines.argmax())
    return kinds[best] if cosines[best] >= NEAR else NO_KIND


if __name__ == "__main__":
    ship_vectors([text for texts in EXAMPLES.values() for text in texts], SHIPPED)
