"""How to train word vectors: every setting, its check, and the defaults of the programs people come from."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import UsageError
from ..training import Schedule

MODELS = ("skipgram", "cbow")
LOSSES = ("ns", "hs", "softmax")
COMBINATIONS = ("mean", "sum", "mean-compat")
AUTOMATIC_EPOCHS = 5, 50  # fewest and most
_AMPLE = 50_000_000  # words seen in training that make good vectors
# For _USUAL words, found by held-out loss and by one half of the evaluation sets; bench/README.md reports the others.
_RATES = {"skipgram": 0.06, "cbow": 0.25}
_PATH_RATES = {"skipgram": 0.04, "cbow": 0.15}  # of hierarchical softmax
_SUBWORD_RATE, _COMPAT_RATE = 0.06, 0.05
_USUAL = 4_000_000  # words left by subsampling, over all epochs
_SLOWING, _SUBWORD_SLOWING = 0.25, 0.4  # the rate falls with this power of the words
_LEAST_FACTOR, _MOST_FACTOR = 0.25, 1.5
LARGEST_DIM, LARGEST_WINDOW = 10_000, 1_000
SOFTMAX_LIMIT = 50_000


@dataclass(frozen=True)
class Config:
    """Settings of a training run.

    Args:
        model: "skipgram" or "cbow".
        loss: "ns" (negative sampling), "hs" (hierarchical softmax), or "softmax" over all words (small vocabularies).
        dim: numbers per vector.
        window: words to each side that are context.
        fixed_window: always the whole window, not a random part of it.
        min_count, max_vocab: which words get vectors.
        sample: subsampling threshold: a word of relative frequency f stays with probability sqrt(s/f) + s/f; 0 keeps
            all words.
        negatives: drawn words per target.
        exponent: negatives are drawn by count ** exponent.
        epochs: passes over the text; None for as many as its size asks for.
        rate: learning rate at the beginning; None for what suits the model and the words to train on, see `rate_for`.
        floor: the rate never falls below this share of it.
        decay: "linear", "cosine" or "constant".
        combine: how CBOW makes its input from the window: "mean", with the gradient divided in the same way; "sum";
            or "mean-compat", the mean with the undivided gradient of word2vec.c.
        position_weights: CBOW learns for each place in the window by what to multiply, number by number, the vectors of
            words that stand there (Mikolov et al. 2018, section 2.2).
        subwords: (shortest, longest) character n-grams, or None.
        buckets: numbers that n-grams are hashed to.
        seed: of all random numbers.
        budget: seconds to train at most.

    Raises:
        UsageError: an impossible value.
    """

    model: str = "skipgram"
    loss: str = "ns"
    dim: int = 100
    window: int = 5
    fixed_window: bool = False
    min_count: int = 5
    max_vocab: int | None = None
    sample: float = 1e-4
    negatives: int = 5
    exponent: float = 0.75
    epochs: int | None = None
    rate: float | None = None
    floor: float = 1e-4
    decay: str = "linear"
    combine: str = "mean"
    position_weights: bool = False
    subwords: tuple[int, int] | None = None
    buckets: int = 2_000_000
    seed: int = 0
    budget: float | None = None

    def __post_init__(self) -> None:
        _one_of("model", self.model, MODELS)
        _one_of("loss", self.loss, LOSSES)
        _one_of("combination", self.combine, COMBINATIONS)
        _within("dim", self.dim, 1, LARGEST_DIM)
        _within("window", self.window, 1, LARGEST_WINDOW)
        _within("min-count", self.min_count, 1, 1 << 62)
        _within("negatives", self.negatives, 1, 10_000)
        _within("epochs", self.epochs or 1, 1, 1_000_000)
        _within("buckets", self.buckets, 1, (1 << 31) - 1)
        _within("seed", self.seed, 0, (1 << 62) - 1)
        _within("sample", self.sample, 0, math.inf)
        _within("ns-exponent", self.exponent, -4, 4)
        if self.budget is not None:
            _within("time-budget", self.budget, 0.001, math.inf)
        if self.position_weights and self.model != "cbow":
            raise UsageError("skip-gram has no position weights: its words stand alone.", "Add --model cbow.")
        if self.subwords and not 1 <= self.subwords[0] <= self.subwords[1] <= 100:
            raise UsageError(f"--subword {self.subwords[0]}-{self.subwords[1]} makes no sense.", "3-6 is usual.")
        Schedule(1.0 if self.rate is None else self.rate, self.floor, self.decay)  # refuses impossible values

    def rate_for(self, words: float) -> float:
        """The rate asked for, or the one that suits the model.

        Args:
            words: how many there are to train on, those that subsampling leaves, over all epochs. Sixteen times as many
                halve the rate, of skip-gram with n-grams a third of it stays; it is a quarter to one and a half of what
                suits four million.
        """
        if self.rate is not None:
            return self.rate
        usual, slowing = self._usual_rate
        return usual * max(_LEAST_FACTOR, min(_MOST_FACTOR, (_USUAL / max(words, 1)) ** slowing))

    @property
    def _usual_rate(self) -> tuple[float, float]:
        """The rate for `_USUAL` words, and with which power of their number it falls."""
        if self.model == "cbow" and self.combine != "mean":
            return _COMPAT_RATE, _SLOWING
        if self.subwords and self.model == "skipgram":
            return _SUBWORD_RATE, _SUBWORD_SLOWING
        return (_PATH_RATES if self.loss == "hs" else _RATES)[self.model], _SLOWING

    def epochs_for(self, tokens: int) -> int:
        """Passes over a text of so many words: as asked, or more the smaller it is."""
        fewest, most = AUTOMATIC_EPOCHS
        return self.epochs or max(fewest, min(most, round(_AMPLE / max(tokens, 1))))

    def settings(self) -> dict[str, Any]:
        """All settings, for JSON headers."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Any) -> "Config":
        """The inverse of `settings`. Raises UsageError where they make no sense."""
        try:
            pair = settings.get("subwords")
            return cls(**{**settings, "subwords": tuple(pair) if pair else None})
        except (TypeError, AttributeError, ValueError):
            raise UsageError(f"the stored training settings make no sense: {settings!r:.200}") from None

    @classmethod
    def like(cls, program: str, **settings: Any) -> "Config":
        """The defaults of another program, with these settings changed.

        Raises:
            UsageError: a program not among `PRESETS`.
        """
        _one_of("preset", program, tuple(PRESETS))
        preset = {**PRESETS[program]}
        if settings.get("model", preset["model"]) == "skipgram" and program == "word2vec":
            preset["rate"] = 0.025
        return replace(cls(**preset), **settings)


PRESETS: dict[str, dict[str, Any]] = {
    "word2vec": {"model": "cbow", "combine": "mean-compat", "sample": 1e-3, "epochs": 5, "rate": 0.05},
    "gensim": {
        "model": "cbow", "combine": "mean-compat", "sample": 1e-3, "epochs": 5, "rate": 0.025, "floor": 0.004,
    },
    "fasttext": {
        "model": "skipgram", "combine": "mean-compat", "sample": 1e-4, "epochs": 5, "rate": 0.05, "exponent": 0.5,
        "floor": 0.0, "subwords": (3, 6),
    },
}  # fmt: skip


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"unknown {what} '{value}'.", f"Choose one of {', '.join(known)}.")


def _within(option: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        bounds = f"Give at least {least:g}." if most > 1e15 else f"Give {least:g} to {most:g}."
        raise UsageError(f"--{option} {value:g} makes no sense.", bounds)
