"""Building trie levels from lists of n-grams; arrays as in `query`."""

import numpy as np

from .jit import kernel
from .query import find_child


@kernel
def descend(ngrams, column, length, words, edges, nodes):
    """nodes[i] = node of the `length` words ngrams[i, column:], or -1 where there is none.

    ngrams int32 (E, n), nodes int64 (E,) out.
    """
    for i in range(ngrams.shape[0]):
        node = np.int64(ngrams[i, column])
        for k in range(1, length):
            node = find_child(node, ngrams[i, column + k], words, edges)
            if node < 0:
                break
        nodes[i] = node
