"""Once through the library on one thread, so that its kernels are called on a given text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textkit.classify.model import Classifier
from textkit.formats import vectors
from textkit.ngram.config import TrainingConfig
from textkit.ngram.counting import count_text
from textkit.ngram.interpolation import interpolate
from textkit.ngram.merging import merge_counts
from textkit.ngram.model import NGramModel
from textkit.ngram.pruning import Limits, pruned_model
from textkit.ngram.quantisation import quantised_model
from textkit.ngram.scored import Scorer, scored_rows
from textkit.ngram.scoring import perplexity
from textkit.ngram.selection import Selection
from textkit.ngram.words import word_rows
from textkit.text.corpus import EncodedCorpus, count_vocabulary, encode_corpus
from textkit.text.lines import tokenized
from textkit.text.reader import Reader
from textkit.text.tokenizer import Tokenizer
from textkit.vectors.config import Config
from textkit.vectors.training import Trainer
from textkit.vectors.word2vec import finished


def _encoded(text: Path, tokenizer: str = "whitespace") -> EncodedCorpus:
    return encode_corpus(Reader([text]), Tokenizer(tokenizer), threads=1)


def words_of(text: Path, directory: Path) -> None:
    """Each tokenizer counts, and one writes."""
    for name in ("word", "whitespace", "char"):
        count_vocabulary(Reader([text]), Tokenizer(name, lowercase=name == "word"), threads=1)
    count_vocabulary(Reader([text]), Tokenizer("word"), threads=1).save_text(directory / "tour.tsv")
    for _ in tokenized(Reader([text]), Tokenizer("word"), 1):
        pass


def ngrams_of(text: Path, directory: Path) -> None:
    """Train, write, read, score, and make other models of the model."""
    corpus = _encoded(text)
    model = NGramModel.train(corpus, TrainingConfig(order=3, keep_counts=True), threads=1)
    model.write_arpa(directory / "tour.arpa", 1)
    model.save(directory / "tour.ngram")
    NGramModel.load(directory / "tour.arpa", Tokenizer("whitespace"), threads=1)
    model = NGramModel.load(directory / "tour.ngram")
    perplexity(model, Reader([text]), threads=1)
    for _ in scored_rows(Scorer(model), Reader([text]), Selection(), False, 1):
        pass
    for _ in word_rows(model, Reader([text]), False, 1):
        pass
    small, _ = pruned_model(model, Limits(1e-6), threads=1)
    quantised_model(model, 8, threads=1)
    for log_linear in (False, True):
        interpolate([model, small], [0.5, 0.5], log_linear=log_linear, threads=1)
    counts = count_text(corpus, 3, threads=1)
    merge_counts([counts, counts], threads=1)


def vectors_of(text: Path, directory: Path) -> None:
    """One epoch of each way to train."""
    corpus = _encoded(text)
    kinds: list[dict[str, Any]] = [{}, {"model": "cbow"}, {"loss": "hs"}, {"model": "cbow", "loss": "hs"}]
    for settings in [*kinds, {"subwords": (3, 6)}]:
        trainer = Trainer(corpus, Config(min_count=1, epochs=1, dim=100, **settings), threads=1)
        trainer.run()
        model = finished(trainer)
    vectors.write(directory / "tour.vec", "text", model.words, model.vectors[model.numbers])
    vectors.read(directory / "tour.vec", "text")


def labels_of(text: Path, directory: Path) -> None:
    """Classifiers of lines by their length, one epoch; each kind of features."""
    lines = text.read_text(encoding="utf-8").splitlines()
    pairs = [(line, "abcd"[len(line) % 4]) for line in lines]
    kinds: list[dict[str, Any]] = [{"model": "embedding"}, {"model": "linear"}]
    for settings in [*kinds, {"model": "embedding", "buckets": 1 << 20, "chars": (3, 5)}]:
        model = Classifier.train(pairs, tokenizer="whitespace", threads=1, epochs=1, validation=0.0, **settings)
        model.predict_many(lines, threads=1)


TASKS: tuple[Callable[[Path, Path], None], ...] = (words_of, ngrams_of, vectors_of, labels_of)
