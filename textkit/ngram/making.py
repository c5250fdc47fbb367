"""From text or counts to model files, each written from what is there at the time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..parallel import thread_count
from ..progress import Reporter, silent
from ..store import Store
from ..text.corpus import EncodedCorpus
from .config import TrainingConfig
from .counts import CountedText
from .foreign import write_arpa
from .model import NGramModel, signature_of
from .quantisation import quantised_model
from .train import estimate


@dataclass(frozen=True)
class Made:
    """What a model that was written is, see the attributes of `NGramModel`."""

    sizes: list[int]
    words: int
    signature: str
    report: dict[str, Any]

    @property
    def order(self) -> int:
        return len(self.sizes)


def make_files(
    text: EncodedCorpus | CountedText,
    config: TrainingConfig,
    output: Path | None = None,
    arpa: Path | None = None,
    *,
    bits: int | None = None,
    dev: EncodedCorpus | None = None,
    threads: int | None = None,
    progress: Reporter = silent,
    store: Store | None = None,
) -> Made:
    """Estimate a model, see `train.estimate`, and write it to a model file, an ARPA file or both.

    Args:
        bits: round the numbers to so many bits.
    """
    threads, store = thread_count(threads), store or Store()
    estimated = estimate(text, config, threads, progress, dev, store)
    order, report = estimated.trie.order, estimated.report
    if arpa and bits is None:  # from the plain arrays, while they are there
        write_arpa(estimated.trie, estimated.vocabulary, arpa, threads)
    if output or bits is not None:
        model = NGramModel.from_estimate(estimated, text.tokenizer, threads, store)
        if bits is not None:
            model = quantised_model(model, bits, threads=threads, store=store)[0]
            report = model.report
        if output:
            model.save(output)
        if arpa and bits is not None:
            model.write_arpa(arpa, threads, store)
    signature = signature_of(text.tokenizer, order, report)
    return Made(estimated.trie.sizes, len(estimated.vocabulary), signature, report)
