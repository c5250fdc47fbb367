"""Mixtures of models as models: linear or log-linear, with weights given or found on held-out text.

Linear is what SRILM's -mix-lm makes: all n-grams that any model lists get the mixed probability exactly, the others
back off; backoffs make every context sum to one. In the log-linear mixture the sums run over all words by way of the
shorter contexts (as in KenLM's interpolate), and backing off is exact too: it is the normalised product of the models
in every context, but for rounding.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, UsageError
from ..formats.backoff import BackoffTrie
from ..kernels import interpolation as kernels
from ..kernels import query
from ..parallel import ordered_map, split_evenly, thread_count
from ..progress import Progress, Reporter, silent
from ..text.blocks import Block, whole_lines
from ..text.corpus import Text, encode_block
from ..text.vocabulary import BOS, EOS, UNK
from .links import pieces
from .model import NGramModel
from .union import Union, UnionVocabulary

_EM_ROUNDS, _EM_SETTLED = 200, 1e-5
_NEWTON_ROUNDS, _NEWTON_SETTLED, _DIFFERENCE = 20, 1e-6, 1e-2
_PIECES = 16


@dataclass(frozen=True)
class Held:
    """Held-out tokens as the models see them.

    Attributes:
        stream: int32 (n,), ids of the union's vocabulary, -1 before each sentence.
        scores: float32 (n, K), log10 probabilities, 0 at the beginnings of sentences.
        counted: bool (n,), tokens that at least one model knows.
    """

    stream: np.ndarray
    scores: np.ndarray
    counted: np.ndarray

    def perplexities(self) -> list[float]:
        """Of each model, over the tokens that count."""
        return [perplexity(self.scores[self.counted, k]) for k in range(self.scores.shape[1])]


@dataclass(frozen=True)
class Interpolated:
    """A mixture.

    Attributes:
        weights: of the models in turn.
        perplexities: of each model on the held-out text, its unknown words sharing the probability of <unk>, over the
            tokens that at least one model knows; empty without such text.
        mixed_perplexity: of the probabilities mixed token by token (None for log-linear mixtures).
    """

    model: NGramModel
    weights: list[float]
    perplexities: list[float]
    mixed_perplexity: float | None


def interpolate(
    models: Sequence[NGramModel],
    weights: Sequence[float] | None = None,
    dev: Text | None = None,
    *,
    log_linear: bool = False,
    threads: int | None = None,
    progress: Reporter = silent,
) -> Interpolated:
    """Mix models of any orders and vocabularies that split text alike.

    Args:
        weights: one for each model, or one less, the last then completing the sum to one. If not given they are those
            under which `dev` is most probable; without `dev` they are equal.

    Raises:
        UsageError: weights that are no mixture, or models with different tokenizers.
        DataError: a damaged model, or held-out text without a known word.
    """
    threads = thread_count(threads)
    _refuse_unlike(models)
    given = _checked(weights, len(models), log_linear) if weights is not None else None
    words = UnionVocabulary.of([model.vocabulary for model in models])
    held = hold_out(models, words, dev, threads, progress) if dev is not None else None
    found = given if given is not None else np.full(len(models), 1.0 / len(models))
    if held is not None and given is None and not log_linear:
        found = best_weights(held, progress)
    union = Union.of([model.trie(threads) for model in models], words, threads, progress)
    if held is not None and given is None and log_linear:
        found = best_exponents(union, held, progress)
    trie = log_linear_mixture(union, found, threads) if log_linear else linear_mixture(union, found, threads)
    report = {
        "smoothing": "log-linear" if log_linear else "linear",
        "weights": found.tolist(),
        "models": [model.signature for model in models],
    }
    mixed = None if held is None or log_linear else perplexity(_mixed(held.scores[held.counted], found))
    return Interpolated(
        NGramModel.from_trie(trie, words.vocabulary, models[0].tokenizer, report, threads=threads),
        found.tolist(),
        held.perplexities() if held is not None else [],
        mixed,
    )


def perplexity(log10_probabilities: np.ndarray) -> float:
    """10 ** -mean."""
    return float(10.0 ** min(-log10_probabilities.mean(dtype=np.float64), 300.0))


def _refuse_unlike(models: Sequence[NGramModel]) -> None:
    ways = list(dict.fromkeys(model.tokenizer.signature for model in models))
    if len(ways) > 1:
        raise UsageError(
            f"the models split text in different ways: {ways[0]} and {ways[1]}.",
            "Train them with the same --tokenizer and options; for ARPA files say --tokenizer.",
        )


def _checked(weights: Sequence[float], models: int, log_linear: bool) -> np.ndarray:
    found = np.array(weights, np.float64)
    shown = " ".join(f"{w:g}" for w in weights)
    if len(found) == models - 1:
        found = np.append(found, 1.0 - found.sum())
    if len(found) != models or not np.isfinite(found).all() or np.abs(found).max() > 100:
        raise UsageError(f"--weights {shown} are not weights of {models} models.", "Give one number for each model.")
    if not log_linear and ((found < 0).any() or abs(found.sum() - 1.0) > 1e-3):
        raise UsageError(f"--weights {shown} do not make a mixture.", "Linear weights are at least 0 and sum to 1.")
    return found if log_linear else found / found.sum()


# --- held-out text -------------------------------------------------------------------------------------------


def hold_out(
    models: Sequence[NGramModel], words: UnionVocabulary, text: Text, threads: int, progress: Reporter = silent
) -> Held:
    """Score a text by each model. Memory: 5 bytes a token and 4 for each model.

    Raises:
        DataError: no token that a model knows.
    """

    def work(block: Block) -> tuple[Held, int]:
        return _held_block(models, words, text.clean(block)), block.done

    parts = []
    for part, done in ordered_map(work, whole_lines(text.blocks()), threads):
        progress(Progress("scoring", done, text.total_bytes, "bytes"))
        parts.append(part)
    if not any(part.counted.any() for part in parts):
        raise DataError("no model knows a word of the held-out text.", "Is it the right file?")
    return Held(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("stream", "scores", "counted")))


def _held_block(models: Sequence[NGramModel], words: UnionVocabulary, block: Block) -> Held:
    scores, known = [], []
    for model, ids, share in zip(models, words.ids, words.shares.tolist(), strict=True):
        stream = _stream(block, model)
        found, _ = model.score_stream(stream, np.array(model.start().nodes, np.int64))
        scores.append(np.where(stream == UNK, found - np.float32(share), found))
        known.append(np.where(stream > UNK, ids[stream], stream))
    counted = np.any([ids > UNK for ids in known], axis=0)
    return Held(np.max(known, axis=0).astype(np.int32), np.stack(scores, axis=1), counted)


def _stream(block: Block, model: NGramModel) -> np.ndarray:
    encoded = encode_block(block, model.tokenizer, model.vocabulary.look_up)
    offsets = np.concatenate([[0], encoded.lines, [len(encoded.ids)] if encoded.open else []]).astype(np.int64)
    stream = np.empty(len(encoded.ids) + 2 * (len(offsets) - 1), np.int32)
    query.line_stream(encoded.ids, offsets, 0, len(offsets) - 1, EOS, stream)
    return stream


def best_weights(held: Held, progress: Reporter = silent) -> np.ndarray:
    """Linear weights under which the held-out text is most probable, float64 (K,), by EM (SRILM's compute-best-mix)."""
    p = 10.0 ** held.scores[held.counted].astype(np.float64)
    p = p[p.sum(axis=1) > 0]
    weights = np.full(p.shape[1], 1.0 / p.shape[1])
    for done in range(_EM_ROUNDS):
        progress(Progress("weights", done, _EM_ROUNDS, "rounds"))
        shares = p * weights
        moved = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        settled = np.abs(moved - weights).max() < _EM_SETTLED
        weights = moved
        if settled:
            break
    return weights


def _mixed(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """log10 of linearly mixed probabilities."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10((10.0 ** scores.astype(np.float64)) @ weights), -99.0)


# --- linear --------------------------------------------------------------------------------------------------


def linear_mixture(union: Union, weights: np.ndarray, threads: int) -> BackoffTrie:
    """The mixture sum of weights[k] p_k, exact for every n-gram of the union."""
    log_p, backoff = np.zeros(len(union.scores), np.float32), np.zeros(len(union.weights), np.float32)
    vocabulary = union.trie.sizes[0]
    log_p[:vocabulary] = _mixed(union.scores[:vocabulary], weights)
    fixed = (union.trie.edges, union.links, union.scores, union.weights, weights)

    def work(part: tuple[int, int]) -> None:
        kernels.mix_linearly(*part, *fixed, np.zeros(len(weights)), log_p, backoff)

    for _ in ordered_map(work, pieces(union.trie.edges, 0, len(backoff), threads), threads):
        pass
    return _with_numbers(union, log_p, backoff)


def _with_numbers(union: Union, log_p: np.ndarray, backoff: np.ndarray) -> BackoffTrie:
    return BackoffTrie(union.trie.sizes, union.trie.words, np.minimum(log_p, 0.0), backoff, union.trie.edges)


# --- log-linear ----------------------------------------------------------------------------------------------


def log_linear_mixture(union: Union, weights: np.ndarray, threads: int) -> BackoffTrie:
    """The normalised product of p_k ** weights[k]."""
    log_p, backoff = np.zeros(len(union.scores), np.float32), np.zeros(len(union.weights), np.float32)
    bases, vocabulary = union.trie.bases.tolist(), union.trie.sizes[0]
    root, sums = _root(union, weights), np.zeros(len(backoff))
    log_p[:vocabulary] = np.clip(union.scores[:vocabulary] @ weights - math.log10(root), -99.0, 0.0)
    log_p[BOS] = union.scores[BOS].max()
    arrays = (vocabulary, union.trie.edges, union.links, union.scores, union.weights, weights, root, sums)
    everything = np.arange(len(backoff))
    for first, last in itertools.pairwise(bases[:-1]):
        parts = pieces(union.trie.edges, first, last, threads)
        for _ in ordered_map(lambda part: kernels.normalisers(everything, *part, *arrays), parts, threads):
            pass
    parts = split_evenly(len(backoff), threads * _PIECES)
    for _ in ordered_map(lambda part: kernels.mix_log_linearly(*part, *arrays, log_p, backoff), parts, threads):
        pass
    return _with_numbers(union, log_p, backoff)


def _root(union: Union, weights: np.ndarray) -> float:
    """The sum of the product over all words after no context."""
    products = 10.0 ** (union.scores[: union.trie.sizes[0]].astype(np.float64) @ weights)
    return float(products.sum() - products[BOS])


def best_exponents(union: Union, held: Held, progress: Reporter = silent) -> np.ndarray:
    """Log-linear weights under which the held-out text is most probable, float64 (K,).

    The logarithm of that probability is concave; Newton's method with numeric derivatives finds its top. Sums over
    the vocabulary are worked out for the contexts of this text only.
    """
    total = held.scores[held.counted].sum(axis=0, dtype=np.float64)
    visits = np.zeros(len(union.weights), np.int64)
    trie, vocabulary, sums = union.trie, union.trie.sizes[0], np.zeros(len(union.weights))
    if len(visits):
        kernels.count_visits(held.stream, held.counted, vocabulary, trie.words, trie.edges, union.links, visits)
    needed = visits > 0
    for _ in range(trie.order - 2):  # and the contexts that these back off to
        needed[union.links[np.flatnonzero(needed[vocabulary:]) + vocabulary]] = True
    contexts = np.flatnonzero(needed)

    def loss(weights: np.ndarray) -> float:
        root = _root(union, weights)
        kernels.normalisers(
            contexts, 0, len(contexts), vocabulary, trie.edges, union.links, union.scores, union.weights, weights,
            root, sums,
        )  # fmt: skip
        logs = (
            np.dot(visits[contexts], np.log10(sums[contexts])) if len(visits) else np.log10(root) * held.counted.sum()
        )
        return float((logs - total @ weights) / held.counted.sum())

    return _newton(loss, np.full(len(total), 1.0 / len(total)), progress)


def _newton(loss: Callable[[np.ndarray], float], start: np.ndarray, progress: Reporter) -> np.ndarray:
    """The least value of a convex function of a few numbers."""
    best, found = start, loss(start)
    for done in range(_NEWTON_ROUNDS):
        progress(Progress("weights", done, _NEWTON_ROUNDS, "rounds"))
        slope, curve = _derivatives(loss, best, found)
        step = -np.linalg.lstsq(curve + 1e-9 * np.eye(len(best)), slope, rcond=None)[0]
        scale = 1.0
        while scale > 1e-4 and (value := loss(best + scale * step)) > found:
            scale /= 2
        if scale <= 1e-4:
            break
        gained, best, found = found - value, best + scale * step, value
        if gained < _NEWTON_SETTLED:
            break
    return best


def _derivatives(loss: Callable[[np.ndarray], float], at: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and matrix of second derivatives by central differences."""
    steps = _DIFFERENCE * np.eye(len(at))
    up, down = [loss(at + step) for step in steps], [loss(at - step) for step in steps]
    slope = (np.array(up) - down) / (2 * _DIFFERENCE)
    curve = np.diag((np.array(up) + down - 2 * value) / _DIFFERENCE**2)
    for i, j in itertools.combinations(range(len(at)), 2):
        both = loss(at + steps[i] + steps[j])
        curve[i, j] = curve[j, i] = (both - up[i] - up[j] + value) / _DIFFERENCE**2
    return slope, curve
