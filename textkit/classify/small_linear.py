"""The linear model with its numbers as codes: a byte for some weights of a feature, a byte for how much it weighs."""

from typing import Any

import numpy as np

from ..errors import DataError
from ..formats.matrices import Coded, whole
from .linear import LinearHead
from .matrix_head import matrix_arrays, matrix_from, width_of


class SmallLinearHead(LinearHead):
    """As `LinearHead`, of numbers that are put together from codes when it is opened.

    Args:
        codes: of the weights, (R, K).
        scales: of how much each feature weighs in a document, (R, 1).
    """

    kind = "small linear"

    def __init__(self, loss: str, labels: int, codes: Coded, biases: np.ndarray, scales: Coded) -> None:
        super().__init__(loss, labels, whole(codes), biases, whole(scales).reshape(-1))
        self.codes, self.scales = codes, scales

    def scaled(self, factor: float) -> "SmallLinearHead":
        """The same with logits, but for the biases, times a number."""
        head = SmallLinearHead(self.loss, self.labels, self.codes.scaled(factor), self.biases, self.scales)
        head.temperature = self.temperature
        return head

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the container."""
        return {
            "head.biases": self.biases,
            **matrix_arrays("weights", self.codes),
            **matrix_arrays("scale", self.scales),
        }

    def settings(self) -> dict[str, Any]:
        """What the header holds."""
        return {**super().settings(), "width": width_of(self.codes)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], settings: dict[str, Any], rows: int) -> "SmallLinearHead":
        """The inverse of `arrays` and `settings`. Raises DataError for what does not fit together."""
        try:
            codes, scales = matrix_from(arrays, "weights", int(settings["width"])), matrix_from(arrays, "scale", 1)
            if not (isinstance(codes, Coded) and isinstance(scales, Coded)):
                raise ValueError("width")
            head = cls(settings["loss"], settings["labels"], codes, arrays["head.biases"], scales)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the model is damaged: it lacks or spoils {error}.") from None
        # The decoded numbers must fit as any other's do.
        LinearHead.from_arrays({**LinearHead.arrays(head)}, LinearHead.settings(head), rows)
        return head
