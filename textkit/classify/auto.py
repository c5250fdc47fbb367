"""`--model auto`: the linear model or the embedding, whichever labels held-out documents better."""

import numpy as np

from ..progress import Reporter, silent
from . import validation
from .config import ClassifierConfig
from .data import LabelledCorpus
from .linear import LOSSES
from .linear_fitting import COSTS, LinearFitter
from .model import Classifier

MOST_WEIGHTS = 1 << 28  # of a linear model that is thought of at all


def fit_auto(
    data: LabelledCorpus,
    config: ClassifierConfig,
    rows: np.ndarray | None,
    held: np.ndarray | None,
    progress: Reporter = silent,
    threads: int | None = None,
) -> Classifier:
    """The better one, its report with a line `choice` that says why."""
    from .fitting import fit_embedding, fit_linear
    raise NotImplementedError
