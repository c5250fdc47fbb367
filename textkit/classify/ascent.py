"""Finding the weights of a linear model: passes of coordinate ascent in the dual, see `kernels.linear`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..kernels import linear as kernels
from ..kernels.simd import padded
from ..parallel import ordered_map, split_evenly
from .labelling import Ragged
from .sparse import Counted

_SETTLING = 2  # passes after which weights that threads share are computed anew, see `Ascent.run`


@dataclass
class Examples:
    """Documents to fit, and what they are to be.

    Attributes:
        values: float32, of each of their features (`Counted.values`).
        gold: their labels.
        weights: float32 (L,), how much an error on each counts.
        features: R, how many there are.
    """

    counted: Counted
    values: np.ndarray
    gold: Ragged
    weights: np.ndarray
    features: int

    def __post_init__(self) -> None:
        some = np.diff(self.counted.offsets) > 0
        self.squares = np.ones(len(self.counted), np.float32)
        if some.any():
            self.squares[some] += np.add.reduceat(self.values**2, self.counted.offsets[:-1][some], dtype=np.float64)

    @property
    def owners(self) -> np.ndarray:
        """The document of each element of gold, int64."""
        return np.repeat(np.arange(len(self.gold)), self.gold.sizes)

    def target(self, label: int, shared: bool) -> np.ndarray:
        """1 for documents that have the label, float32 (L,); its share among their labels if `shared`."""
        target = np.bincount(self.owners, self.gold.ids == label, len(self.gold))
        return (target / np.maximum(self.gold.sizes, 1) if shared else target).astype(np.float32)


class Ascent:
    """One problem, solved for one cost after the other: softmax over K columns, or one column with a target.

    Memory: 4 bytes for each feature and column, 8 for each document and column; columns of softmax come in sixteens.

    Args:
        target: float32 (L,) of the one column, or None for softmax over all labels.
        begin: float32 ((R + 1), labels or 1), weights and below them biases that the solution is drawn to in place
            of 0: as v begins there, and each step moves it along as ever, no step knows of it.
    """

    def __init__(
        self,
        examples: Examples,
        labels: int,
        target: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        begin: np.ndarray | None = None,
    ) -> None:
        self.examples, self.target = examples, target
        self.labels, self.columns = labels, padded(labels) if target is None else 1
        self.weights = examples.weights if weights is None else weights
        self.aim = np.zeros((len(examples.counted), self.columns), np.float32)
        if target is not None:
            self.aim[:, 0] = target
        else:
            owners, gold = examples.owners, examples.gold
            self.aim[owners, gold.ids] = (1 / np.maximum(gold.sizes, 1))[owners]
        self.q = self.aim.copy()
        self.v = np.zeros((examples.features + 1) * self.columns, np.float32)
        self.begin = np.zeros(1, np.float32)
        if begin is not None:
            self.begin = np.pad(begin, ((0, 0), (0, self.columns - begin.shape[1]))).reshape(-1)
        self.passes, self.gap = 0, np.inf

    def run(self, cost: float, seed: int, tolerance: float = 1e-3, most: int = 40, threads: int = 1) -> None:
        """Pass over the documents until the duality gap is below `tolerance` of the objective, or `most` times.

        With one thread the result depends on nothing but the arguments. Several share the weights without locks; what
        they lose of each other's changes in the first passes, when changes are large, is made good from the dual.
        """
        self.q[:], self.v[:] = self.aim, self.begin
        rng = np.random.default_rng(seed)
        costs = (self.weights * np.float32(cost)).astype(np.float32)
        with ThreadPoolExecutor(threads) as pool:
            for self.passes in range(1, most + 1):
                step = partial(self._pass, rng.permutation(len(costs)), costs)
                told = sum(pool.map(step, split_evenly(len(costs), threads)), np.zeros(2))
                moved = self.v.astype(np.float64) - self.begin
                gap = told[0] - told[1] + float(np.dot(moved, self.v))
                self.gap = float(gap / max(told[0] + 0.5 * float(np.dot(moved, moved)), 1e-300))
                if self.passes > 1 and abs(self.gap) < tolerance:
                    break
                if threads > 1 and self.passes == _SETTLING:
                    self._settle(costs)

    def _pass(self, order: np.ndarray, costs: np.ndarray, part: tuple[int, int]) -> np.ndarray:
        e, told = self.examples, np.zeros(2)
        documents = (e.counted.rows, e.counted.offsets, e.values)
        if self.target is not None:
            q = self.q.reshape(-1)
            kernels.column_pass(order, *part, *documents, self.target, costs, e.squares, self.v, q, told)
        else:
            scratch = np.zeros(self.columns, np.float32), np.zeros(self.columns, np.float32)
            kernels.joint_pass(
                order, *part, *documents, e.gold.ids, e.gold.offsets, costs, e.squares, self.v, self.q.reshape(-1),
                self.labels, scratch, told,
            )  # fmt: skip
        return told

    def _settle(self, costs: np.ndarray) -> None:
        """v = what it began with + sum of cost * value * (aim - q)."""
        e, columns = self.examples, self.columns
        lengths = np.diff(e.counted.offsets)
        moves, v = costs[:, None] * (self.aim - self.q), self.v.reshape(-1, columns)
        for c in range(columns):
            v[:-1, c] = np.bincount(e.counted.rows, np.repeat(moves[:, c], lengths) * e.values, e.features)
            v[-1, c] = moves[:, c].sum(dtype=np.float64)
        self.v += self.begin


class Solver:
    """The weights of all labels: one problem for softmax, one for each label for "ova".

    Args:
        positive: float32 (C,), how much a label that is right weighs under "ova".
        begin: weights and biases as `weights` gives them that the solution is drawn to in place of 0.
    """

    def __init__(
        self,
        examples: Examples,
        labels: int,
        loss: str,
        positive: np.ndarray,
        begin: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        first = None if begin is None else np.vstack([begin[0], begin[1]])
        self.labels, self.several = labels, loss == "ova"
        self.problems: list[Ascent] = []
        if self.several:
            for label in range(labels):
                target = examples.target(label, shared=False)
                weights = examples.weights * np.where(target > 0, positive[label], np.float32(1))
                own = None if first is None else first[:, label : label + 1]
                self.problems.append(Ascent(examples, labels, target, weights.astype(np.float32), own))
        elif labels == 2:
            self.problems = [Ascent(examples, labels, examples.target(1, shared=True), begin=first)]
        elif labels > 2:
            self.problems = [Ascent(examples, labels, begin=first)]

    def run(self, cost: float, seed: int, tolerance: float = 1e-3, most: int = 40, threads: int = 1) -> None:
        """Solve for one cost; see `Ascent.run`."""
        alone = len(self.problems) < threads
        each, together = (threads, 1) if alone else (1, threads)
        for _ in ordered_map(lambda p: p.run(cost, seed, tolerance, most, each), self.problems, together):
            pass

    @property
    def passes(self) -> int:
        """Of the problem that took most."""
        return max((problem.passes for problem in self.problems), default=0)

    @property
    def gap(self) -> float:
        """Duality gap, as a share of the objective, of the problem that is furthest from its minimum."""
        return max((problem.gap for problem in self.problems), default=0.0)

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 (R, K) and the biases (K,): a column for each label, one for two exclusive labels, none for one."""
        if not self.problems:
            return np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
        whole = [problem.v.reshape(-1, problem.columns)[:, : self.labels] for problem in self.problems]
        matrix = whole[0] if len(whole) == 1 else np.concatenate(whole, axis=1)
        return np.ascontiguousarray(matrix[:-1]), matrix[-1].copy()
