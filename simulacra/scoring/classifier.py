"""Any text classifier of Hugging Face as a second scorer: a local folder, or a model's name on the hub.

    HuggingFaceScorer("unitary/toxic-bert")       columns: its labels, and `toxicity` from the label that means it
    HuggingFaceScorer("./my-model", label="RUDE")

Weights are loaded without running code that comes with them. A name is fetched by the `transformers` library into its own cache,
unless HF_HUB_OFFLINE says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.checks import clean
from simulacra.errors import SpecError
from simulacra.scoring.heads import Columns
from simulacra.scoring.semantic import WeightsError

PREFIX = "hf:"
TOXIC_LABELS = ("toxic", "toxicity", "offensive", "hateful", "hate", "abusive", "rude", "insult")
"""Labels that mean toxicity, the first that a model has is taken."""
BATCH = 32
TOKENS = 128
_DIGITS = 4


class HuggingFaceScorer:
    """Scores of a sequence classifier: a column a label, [0, 1], and `toxicity` where a label means it.

    model: a local folder, or a name on the hub. label: which label is toxicity, where none of TOXIC_LABELS is among them. One label
    alone, or a model that calls itself multi-label, is read through a sigmoid, others through a softmax. Raises WeightsError where
    the model or the library is missing, SpecError for a label that it lacks.
    """

    def __init__(self, model: str, label: str | None = None) -> None:
        self.model, self.label = model, label

    @property
    def name(self) -> str:
        slug = re.sub(r"[^A-Za-z0-9]+", "-", Path(self.model).name if Path(self.model).is_dir() else self.model).strip("-")
        return f"hf-{slug[:60] or 'model'}"

    @property
    def identity(self) -> dict[str, Any]:
        return {"scorer": self.name, "version": 1, "weights": self._loaded[2], "tokens": TOKENS, "label": self._toxic}

    @cached_property
    def labels(self) -> list[str]:
        """The model's labels as column names, in order."""
        config = self._loaded[1].config
        return [re.sub(r"\W+", "_", str(config.id2label[i])).strip("_").lower() for i in range(config.num_labels)]

    @cached_property
    def _toxic(self) -> str | None:
        if self.label is not None:
            wanted = re.sub(r"\W+", "_", self.label).strip("_").lower()
            if wanted not in self.labels:
                raise SpecError(f"--label {self.label!r}: {self.model} has no such label. It has: {', '.join(self.labels)}.")
            return wanted
        return next((name for name in TOXIC_LABELS if name in self.labels), None)

    @cached_property
    def _loaded(self) -> tuple[Any, Any, str]:
        """Tokenizer, model, and a hash of its weights."""
        try:
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            raise WeightsError("transformers is not installed: pip install sentence-transformers.") from error
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model)
            model = AutoModelForSequenceClassification.from_pretrained(self.model)
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
        ) as error:  # what the library raises for no such model, no network, bad files
            raise WeightsError(f"{PREFIX}{self.model}: cannot be loaded ({clean(str(error))[:160]}).") from error
        model.eval()
        digest = blake2b(digest_size=16)
        for key, tensor in sorted(model.state_dict().items()):
            digest.update(key.encode() + tensor.float().numpy().tobytes())
        return tokenizer, model, digest.hexdigest()

    def score(self, texts: Sequence[str]) -> Columns:
        rows = [row for start in range(0, len(texts), BATCH) for row in self._probabilities(texts[start : start + BATCH])]
        table = np.array(rows, np.float32).reshape(len(texts), len(self.labels)).round(_DIGITS)
        columns = {name: table[:, i] for i, name in enumerate(self.labels)}
        return columns | ({"toxicity": columns[self._toxic]} if self._toxic is not None else {})

    def _probabilities(self, texts: Sequence[str]) -> Iterator[Any]:
        import torch

        tokenizer, model, _ = self._loaded
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                fed = tokenizer(list(texts), padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
                logits = model(**fed).logits.float()
                alone = logits.shape[1] == 1 or model.config.problem_type == "multi_label_classification"
                yield from (logits.sigmoid() if alone else logits.softmax(dim=1)).numpy()
        finally:
            torch.set_num_threads(threads)
