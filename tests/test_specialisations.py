"""Each kernel is compiled for one set of argument types: a second one doubles start-up and hides a wrong dtype."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import lzma
import sys
from pathlib import Path
import numpy as np
from importlib import import_module
from pkgutil import iter_modules
import textkit.kernels
from textkit.ngram.check import check_sums
from textkit.ngram.compare import Comparer, all_configs
from textkit.ngram.counting import count_text
from textkit.ngram.counts import CountedText
from textkit.ngram.merging import merge_counts
from textkit.ngram.methods import METHODS
from textkit.ngram.interpolation import interpolate
from textkit.ngram.config import TrainingConfig
from textkit.ngram.model import NGramModel
from textkit.classify.calibrating import Calibrator
from textkit.classify.calibration import Target
from textkit.classify.check import CheckConfig, check
from textkit.classify.data import from_memory, read_labelled
from textkit.classify.exporting import write_fasttext
from textkit.classify.foreign import top_like_fasttext
from textkit.classify.evaluation import Evaluator
from textkit.classify.explain import explain as explain_label
from textkit.classify.form import InputForm
from textkit.classify.model import Classifier
from textkit.classify.quantising import Smaller, quantised
from textkit.classify.stream import Predictor, Writer, predicted
from textkit import kenlm
from textkit.ngram.explain import explain
from textkit.ngram.listing import Listing, listed_rows
from textkit.ngram.scored import Scorer, kept_records, scored_rows
from textkit.ngram.pruning import Limits, pruned_model
from textkit.ngram.quantisation import quantised_model
from textkit.ngram.scoring import perplexity
from textkit.ngram.selection import Selection
from textkit.ngram.words import word_rows
from textkit.store import Store
from textkit.text.corpus import count_vocabulary, encode_corpus
from textkit.text.lines import tokenized
from textkit.text.reader import Lines, Reader
from textkit.text.tokenizer import Tokenizer
from textkit.vectors.exporting import write_fasttext as write_fasttext_vectors
from textkit.vectors.model import WordVectors
from textkit.vectors.phrases import PhraseConfig, with_phrases
from textkit.vectors.word2vec import Word2Vec, finished
from textkit.vectors.config import Config
from textkit.vectors.training import Trainer
from textkit.formats import vectors

text, scratch = Path(sys.argv[1]), Path(sys.argv[2])
named = (Tokenizer("word"), Tokenizer("whitespace", lowercase=True), Tokenizer("char"), Tokenizer("regex:[a-z]+"))
for tokenizer in named:
    for source in (Reader([text]), Lines(text.read_text().splitlines())):
        corpus = encode_corpus(source, tokenizer, cache=scratch, threads=2)
        count_vocabulary(source, tokenizer)
        list(tokenized(source, tokenizer))
        model = NGramModel.train(corpus, TrainingConfig(order=3, keep_counts=True))
        model.save(scratch / "m.ngram")
        model.write_arpa(scratch / "m.arpa")
        for loaded in (model, NGramModel.load(scratch / "m.ngram"), NGramModel.load(scratch / "m.arpa", tokenizer)):
            perplexity(loaded, source)
            loaded.next_words("the")
            loaded.score_many(["the cat"])
            loaded.score_ids(np.zeros(1, np.int64), np.array([0, 1]))
            loaded.score_word(loaded.start(), "cat")
            explain(loaded, "the cat")
            list(listed_rows(loaded, Listing("the"), False))
            list(listed_rows(loaded, Listing(top=2), True))
            if isinstance(source, Reader):
                for selection in (Selection(percentile=50.0), Selection(buckets=2)):
                    list(scored_rows(Scorer(loaded, loaded), source, selection, True))
                    list(kept_records(Scorer(loaded), source, selection))
                list(word_rows(loaded, source, False))
        for method in METHODS:
            for form in method.forms:
                NGramModel.train(corpus, TrainingConfig(smoothing=method.name, form=form), dev=corpus)
        Comparer(corpus, corpus, corpus, order=2).compare([1, 2], all_configs())
        check_sums(model)
        small, _ = quantised_model(pruned_model(model, Limits(1e-3))[0], 4)
        for log_linear in (False, True):
            mixed = interpolate([model, small], None, source, log_linear=log_linear).model
            interpolate([mixed, small], [0.5, 0.5], log_linear=log_linear)
            pruned_model(mixed, Limits(max_ngrams=len(mixed.vocabulary) + 3))
            quantised_model(mixed, 2)
    labelled = read_labelled([text], InputForm(prefix="t"), tokenizer, threads=2)
    read_labelled([text], InputForm(prefix="t"), tokenizer, vocabulary=labelled.text.vocabulary, labels=["he"])
    several = from_memory(["the cat", "a dog", "the cat sat"], ["x", ["x", "y"], "y"], [1, 2, 1], tokenizer)
    check(several, [], CheckConfig(folds=2))
    choices = {}, {"buckets": 50, "chars": (2, 3), "epochs": 1}, {"chars": (2, 3), "end_mark": True, "dropout": 0.1}
    for loss in ("softmax", "hs", "ns", "ova"):
        for choice in choices:
            given = {"model": "embedding", "min_ngram_count": 1, "word_ngrams": 3, "class_weights": "balanced"}
            for data in (labelled, several):
                classifier = Classifier.train(data, loss=loss, threads=2, **given, **choice)
                classifier.save(scratch / "m.model")
                classifier = Classifier.load(scratch / "m.model")
                classifier.predict(["the cat sat", "unseen words", ""], k=2)
                for output in (False, True):
                    small = quantised(classifier, Smaller(features=8, output=output), labelled.text, 2)
                    small.predict(["the cat sat", "unseen words", ""], k=2)
                if choice.get("buckets"):
                    write_fasttext(classifier, scratch / "m.bin")
                    write_fasttext(small, scratch / "m.ftz")
                    for name in ("m.bin", "m.ftz"):
                        foreign = Classifier.load(scratch / name)
                        foreign.predict(["the cat sat", "unseen words", ""], k=2)
                        top_like_fasttext(foreign.head, foreign.encode(["the cat", "x"]), 2)
                        WordVectors.load(scratch / name)
                for as_json in (False, True):
                    list(predicted(Writer(Predictor(classifier, prefix="t"), "lines", as_json), Reader([text])))
                explain_label(classifier, "the cat sat on the mat")
                Evaluator(threads=2).test(Calibrator(Target()).calibrate(classifier, data), data)
    three = from_memory(["the cat", "a dog", "my fox"] * 9, ["x", "y", "z"] * 9, [1, 2, 1] * 9, tokenizer)
    for data in (labelled, several, three):
        for settings in {"model": "auto", "epochs": 1}, {"model": "linear", "loss": "ova", "weighting": "idf"}:
            Classifier.train(data, threads=2, class_weights="balanced", **settings).save(scratch / "m.model")
            Classifier.load(scratch / "m.model").predict(["the cat sat", "unseen words", ""], k=2)
    state = kenlm.State()
    lm = kenlm.Model(str(scratch / "m.ngram"))
    lm.BeginSentenceWrite(state)
    lm.BaseScore(state, "cat", state)
    lm.score("the cat")
    texts = [count_text(corpus, 3), count_text(corpus, 3, store=Store(limit=2000))]
    texts[0].save(scratch / "x.counts")
    for store in (Store(), Store(limit=2000)):
        merged = merge_counts([*texts, CountedText.load(scratch / "x.counts")], [1, 2, -1], min_count=2, store=store)
        for smoothing in ("mkn", "katz"):
            NGramModel.train(merged, TrainingConfig(order=3, smoothing=smoothing), store=store)
    placed = {"model": "cbow", "loss": "hs", "position_weights": True}
    several = {"subwords": (2, 3), "fixed_window": True}
    kinds = {}, {"model": "cbow"}, {"loss": "hs"}, placed, {"loss": "softmax"}, several
    for settings in kinds:
        trainer = Trainer(corpus, Config(min_count=1, epochs=1, dim=8, **settings), threads=2)
        trainer.run(checkpoint=scratch / "state", checkpoint_seconds=0)
        finished(trainer).save(scratch / "m.w2v")
        model = WordVectors.load(scratch / "m.w2v")
        model.similar(model.words[-1])
        "missing" in model or model._composed("missing")
        write_fasttext_vectors(scratch / "v.bin", model, model.numbers)
        WordVectors.load(scratch / "v.bin")["missing" if "subwords" in settings else model.words[-1]]
    again = Trainer(corpus, Config(min_count=1, epochs=1, dim=8), threads=1)
    again.save_checkpoint(scratch / "state", 0)
    again.run(checkpoint=scratch / "state", resume=True)
    for layout in ("text", "binary", "glove", "npy", "projector"):
        vectors.write(scratch / f"v.{layout}", layout, model.words, model.vectors[model.numbers])
        vectors.read(scratch / f"v.{layout}", layout)
    vectors.write(scratch / "v.vec.gz", "text", model.words, model.vectors[model.numbers])
    vectors.read(scratch / "v.vec.gz")
    with_phrases(corpus, PhraseConfig(threshold=0.1, min_count=1, passes=2))
for packed in ("small.o2.probing", "pruned.probing", "small.o4.rest", "small.o4.qtrie", "small.o5.atrie"):
    (scratch / "m.kenlm").write_bytes(lzma.decompress(Path(f"golden/kenlm/{packed}.xz").read_bytes()))
    NGramModel.load(scratch / "m.kenlm", threads=2)
for found in iter_modules(textkit.kernels.__path__):
    module = import_module(f"textkit.kernels.{found.name}")
    for name, function in vars(module).items():
        signatures = getattr(function, "signatures", ())
        entry = function.__module__ == module.__name__ if signatures else False
        if entry and len(signatures) > 1:
            print(f"{module.__name__}.{name}: {signatures}")
"""


def test_every_kernel_has_one_specialisation(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\nthe dog, 3.5 years old, sat too\n" * 20)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(text), str(tmp_path / "scratch")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
        # A cold cache: a kernel that is loaded does not show what it was compiled with.
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
