"""Label tokens taken out of bytes, against a twin that splits lines."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from naive_labels import distinct, labelled_lines

from textkit.classify.labelling import Ragged, take_labels
from textkit.classify.labelling import distinct as fast_distinct
from textkit.text.tokenizer import text_buffer

PIECES = ["__label__", "__label__a", "__label__long-label-name", "#", "#x", "##", "_", "__label_", "a", "\x01", "é",
          " ", " ", "\t", "\r", "\n", "\n", "\v", "\f", "\0", "a longer piece of text without anything"]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(texts, st.sampled_from(["__label__", "#", "__", "é", "a"]))
@example("x__label__a __label__b\n__label__c", "__label__")
@example("__label__a __label__b __label__c\n", "__label__")
def test_take_labels(text, prefix):
    data, start = text.encode(), prefix.encode()
    out, size, spans, (kept, dropped, empty) = take_labels(text_buffer(data), len(data), start)
    expected = labelled_lines(data, start)
    found, labels, ends = out[:size].tobytes(), [], []
    for a, b in spans.tolist():
        if a < b:
            labels.append(data[a:b])
        else:
            ends.append(labels)
            labels = []
    assert found == b"".join(text + b"\n" for text, labels, _ in expected if labels)
    assert ends == [labels for _, labels, _ in expected if labels]
    assert kept.tolist() == [i for i, (_, labels, _) in enumerate(expected) if labels]
    assert dropped.tolist() == [i for i, (_, labels, _) in enumerate(expected) if not labels]
    assert empty.tolist() == [nothing for _, labels, nothing in expected if not labels]
    assert not out[size:].any()


@given(st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=6), st.permutations(range(5)))
def test_distinct_lists(lists, mapping):
    found = fast_distinct(Ragged.from_lists(lists), np.array(mapping, np.int32), 5)
    assert [numbers.tolist() for numbers in found] == [distinct([mapping[n] for n in numbers]) for numbers in lists]
    assert found.ids.dtype == np.int32
