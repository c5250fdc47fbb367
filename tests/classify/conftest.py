"""What tests of classification share."""

import pytest

from textkit.classify.data import LabelledCorpus


@pytest.fixture
def documents():
    """`documents(data)`: each document as its words, its labels, and its line."""

    def shown(data: LabelledCorpus) -> list[tuple[str, list[str], int]]:
        words, names = data.text.vocabulary.words(), data.labels.names
        return [
            (" ".join(words[i] for i in data.text.line(k)), [names[i] for i in data.gold[k]], data.origin(k)[1])
            for k in range(len(data))
        ]

    return shown
