"""Bootstrap resamples of the items of a test: what a score would be on other questions of the same kind."""

import numpy as np

RESAMPLES = 1000


def weights_of(items: int, seed: int = 0) -> np.ndarray:
    """How often each item counts, float32 (1 + RESAMPLES, items): first each once, then as drawn with replacement."""
    drawn = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), RESAMPLES)
    return np.concatenate([np.ones((1, items), np.float32), drawn.astype(np.float32)])


def resampled(values: np.ndarray, given: np.ndarray | None, weights: np.ndarray) -> np.ndarray:
    """The mean of values (n,), or their rank correlation with given (n,), under each row of weights (r, n): (r,)."""
    if given is None:
        return weights @ values / weights.sum(1)
    x, y = _ranks(values, weights), _ranks(given, weights)
    covariance = _covariance(x, y, weights)
    return covariance / np.sqrt(_covariance(x, x, weights) * _covariance(y, y, weights))


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean rank of each item among as many as the weights say, (r, n)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    groups = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    sizes = np.add.reduceat(weights[:, order].astype(np.float64), np.flatnonzero(groups), axis=1)
    ranks = sizes.cumsum(1) - (sizes - 1) / 2
    number = np.empty(len(values), np.int64)
    number[order] = groups.cumsum() - 1
    return ranks[:, number]


def _covariance(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(1, dtype=np.float64)
    mean_x, mean_y = (weights * x).sum(1) / total, (weights * y).sum(1) / total
    return (weights * x * y).sum(1) / total - mean_x * mean_y
