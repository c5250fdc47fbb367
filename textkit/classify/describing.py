"""What is in a model file."""

from pathlib import Path
from typing import Any

from .model import Classifier


def describe(model: Classifier, path: Path) -> dict[str, Any]:
    """Kind, sizes, settings, labels with their training documents, training report and calibration, for JSON."""
    calibration = model.calibrated_by
    counts = sorted(zip(model.labels, model.label_counts.tolist(), strict=True), key=lambda item: -item[1])
    return {
        "signature": model.signature,
        "kind": model.head.kind,
        "loss": model.head.loss,
        "labels": len(model.labels),
        "features": len(model.features),
        "words": len(model.vocabulary),
        "bytes": path.stat().st_size,
        "temperature": calibration.temperature,
        "thresholds": calibration.target or None,
        "abstain": calibration.abstain or None,
        **{f"trained_{name}": value for name, value in model.report.items()},
        "config": model.config.settings(),
        "calibration": model.calibration,
        "label_counts": dict(counts),
    }
