"""The scorer that reads words: toxicity by alt-profanity-check, valence and word shares by VADER. No model, no download.

Scales are the scorers' own. Compare runs by them; a level ("4 % toxic") is relative to this scorer and no rate of anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulacra.scoring.profanity import Profanity
from simulacra.scoring.vader import Vader
from simulacra.seams import Scores


class LexicalScorer:
    """Scores batches of texts; equal texts score equally in any batch.

    toxicity: maximum over sentences of the probability that the sentence is offensive, [0, 1]. Trained on Wikipedia comments and
        tweets: it sees rude words, also harmless ones ("stupid mistake" .99), and hardly any condescension ("you clearly cannot
        read" .04). 0 for a text without words.
    valence: VADER's compound over the whole text, [-1, 1]; 0 where no word is in its lexicon.
    positive, negative: share of the words that VADER's lexicon calls positive or negative, negation ignored, [0, 1]: the measure
        that Kramer et al. (2014) took with LIWC.
    words: tokens with a letter or digit.
    """

    name = "lexical"

    def __init__(self) -> None:
        self._vader = Vader()
        self._profanity = Profanity()

    def score(self, texts: Sequence[str]) -> Scores:
        """One row a text, float32 rounded to four decimals: the last bits of a sum may differ between machines."""
        read = np.array([self._vader.score(text) for text in texts], np.float64).reshape(-1, 4)
        words = np.maximum(read[:, 3], 1)
        return Scores(
            toxicity=self._profanity.score(texts).round(4).astype(np.float32),
            valence=read[:, 0].astype(np.float32),
            positive=(read[:, 1] / words).clip(0, 1).round(4).astype(np.float32),
            negative=(read[:, 2] / words).clip(0, 1).round(4).astype(np.float32),
            words=read[:, 3].clip(max=32767).astype(np.int16),
        )
