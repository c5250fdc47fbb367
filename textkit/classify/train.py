"""From labelled documents to a classifier of the kind that was asked for."""

from pathlib import Path

import numpy as np

from ..progress import Reporter, silent
from .auto import AutoFitter
from .config import ClassifierConfig
from .data import LabelledCorpus
from .fitting import fit_embedding
from .linear_fitting import LinearFitter
from .parts import Parts
from .splits import to_train_on


def trained(
    data: LabelledCorpus,
    config: ClassifierConfig,
    rows: np.ndarray | None = None,
    held: np.ndarray | None = None,
    progress: Reporter = silent,
    threads: int | None = None,
    base: Parts | None = None,
    vectors: Path | None = None,
) -> Parts:
    """See `Classifier.train_on`."""
    if config.model == "embedding" or base is not None or vectors is not None:
        return fit_embedding(data, config, rows, held, progress, threads, base, vectors)
    fitter = LinearFitter if config.model == "linear" else AutoFitter
    return fitter(data, config, to_train_on(data, rows, held), held, threads, progress).classifier()
