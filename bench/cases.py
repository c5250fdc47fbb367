"""The list of all comparisons."""

from collections.abc import Callable

from . import (
    classify,
    classify_quality,
    classify_size,
    compiling,
    ngram,
    roofline,
    scaling,
    startup,
    text,
    vectors,
    w2v,
    w2v_quality,
)
from .harness import Outcome, Settings, Table

CASES: dict[str, Callable[[Settings], Outcome | Table | None]] = {
    f.__name__: f
    for f in (
        text.tokenize_whitespace, text.tokenize_word, text.count_whitespace, text.count_word, text.vocabulary,
        ngram.arpa_3, ngram.arpa_5, ngram.ready_3, ngram.ready_5, ngram.score_3, ngram.open_3, ngram.lines_3,
        ngram.words_3,
        w2v.w2v_skipgram, w2v.w2v_cbow, w2v.w2v_hierarchical, w2v.w2v_cbow_hierarchical, w2v.w2v_subword, w2v.w2v_wide,
        w2v.w2v_cbow_wide, w2v.w2v_negatives, w2v.w2v_vocabulary,
        w2v_quality.w2v_quality,
        vectors.vectors_open, vectors.vectors_neighbours,
        classify.classify_train, classify.classify_once, classify.classify_labels, classify.classify_predict,
        classify_size.classify_size,
        classify_quality.classify_quality,
        scaling.scaling, scaling.threads,
        startup.imports, startup.startup, compiling.compiling, roofline.roofline,
    )
}  # fmt: skip
