"""Plain twins of what reads fastText's models: bytes to numbers by `struct`, lines to rows, rows to probabilities."""

import math
import struct
from dataclasses import dataclass

import numpy as np
from naive_vectors import ngram_hash, word_ngrams

SPACE = b" \n\r\t\v\f\0"
NAMES = (
    "dim", "window", "epochs", "min_count", "negatives", "word_ngrams", "loss", "model", "buckets", "shortest",
    "longest", "update_rate",
)  # fmt: skip


@dataclass
class Model:
    args: dict
    words: list
    labels: list
    counts: list
    kept: dict | None
    input: np.ndarray
    output: np.ndarray


class Bytes:
    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, form):
        found = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return found if len(found) > 1 else found[0]

    def text(self):
        end = self.data.index(b"\0", self.place)
        found, self.place = self.data[self.place : end], end + 1
        return found


def read(data):
    """A model whose matrices are whole, whatever they were in the file."""
    source = Bytes(data)
    assert source.take("ii")[0] == 793712314
    args = dict(zip(NAMES, source.take("12i"), strict=True))
    source.take("d")
    size, words, _ = source.take("3i")
    _, pruned = source.take("2q")
    entries = [(source.text(), *source.take("qb")) for _ in range(size)]
    kept = {} if pruned >= 0 else None
    for _ in range(max(pruned, 0)):
        bucket, row = source.take("2i")
        kept[bucket] = row
    coded = source.take("B")
    matrix = coded_matrix(source) if coded else dense_matrix(source)
    output = coded_matrix(source) if source.take("B") and coded else dense_matrix(source)
    names = [name for name, _, _ in entries]
    return Model(args, names[:words], names[words:], [count for _, count, _ in entries], kept, matrix, output)


def dense_matrix(source):
    rows, columns = source.take("2q")
    return np.array(source.take(f"{rows * columns}f"), np.float64).reshape(rows, columns)


def coded_matrix(source):
    norms, rows, _, size = source.take("Bqqi")
    codes = np.array(source.take(f"{size}B")).reshape(rows, -1)
    parts = codebook(source)
    matrix = np.concatenate([part[codes[:, i]] for i, part in enumerate(parts)], axis=1)
    if norms:
        numbers = np.array(source.take(f"{rows}B"))
        matrix = matrix * codebook(source)[0][numbers]
    return matrix


def codebook(source):
    dim, parts, width, last = source.take("4i")
    numbers = np.array(source.take(f"{256 * dim}f"))
    blocks = np.split(numbers, [256 * width * i for i in range(1, parts)])
    return [block.reshape(256, last if i == parts - 1 else width) for i, block in enumerate(blocks)]


def tokens(line):
    """The tokens of a line, with its end, up to an end mark that is spelt out."""
    for byte in SPACE:
        line = line.replace(bytes([byte]), b" ")
    found = [*(token for token in line.split(b" ") if token), b"</s>"]
    return found[: found.index(b"</s>") + 1]


def signed32(value):
    return value - (1 << 32) if value >= 1 << 31 else value


def rows_of(model, line, prefix=b"__label__"):
    """The rows of one line."""
    args, count, rows, hashes = model.args, len(model.words), [], []

    def push(bucket):
        if model.kept is None:
            rows.append(count + bucket)
        elif bucket in model.kept:
            rows.append(count + model.kept[bucket])

    for token in tokens(line):
        known = token in model.words
        if not known and (token in model.labels or token.startswith(prefix)):
            continue
        hashes.append(signed32(ngram_hash(token)))
        if known:
            rows.append(model.words.index(token))
        if token != b"</s>" and args["longest"] > 0:
            for gram in word_ngrams(
                token.decode("utf-8", "surrogateescape"), max(args["shortest"], 1), args["longest"]
            ):
                push(ngram_hash(gram.encode("utf-8", "surrogateescape")) % args["buckets"])
    for i in range(len(hashes)):
        value = hashes[i]
        for j in range(i + 1, min(i + args["word_ngrams"], len(hashes))):
            value = (value * 116049371 + hashes[j]) % (1 << 64)
            push(value % args["buckets"])
    return rows


def probabilities(model, line):
    """What `predict-prob` shows for each label, as floats, or {} for a line without a row."""
    rows = rows_of(model, line)
    if not rows:
        return {}
    hidden = model.input[rows].mean(0)
    loss = ("hs", "ns", "softmax", "ova")[model.args["loss"] - 1]
    if loss == "hs":
        found = tree_probabilities(model, hidden)
    else:
        scores = model.output @ hidden
        if loss == "softmax":
            exponents = np.exp(scores - scores.max())
            found = exponents / exponents.sum() + 1e-5
        else:
            found = [table_sigmoid(score) + 1e-5 for score in scores]
    return dict(zip(model.labels, map(float, found), strict=True))


def table_sigmoid(x):
    """fastText's sigmoid: steps of 1/32 between -8 and 8."""
    if x < -8 or x > 8:
        return float(x > 8)
    place = int((np.float32(x) + np.float32(8)) * 512 / 8 / 2)
    return 1 / (1 + math.exp(-(place * 2 * 8 / 512 - 8)))


def tree_probabilities(model, hidden):
    """Products down the Huffman tree, each factor 1e-5 too large."""
    counts = model.counts[len(model.words) :]
    size = len(counts)
    weights = [*counts, *([10**15] * (size - 1))]
    leaf, inner, children = size - 1, size, {}
    for node in range(size, 2 * size - 1):
        pair = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[inner]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(inner)
                inner += 1
        weights[node] = weights[pair[0]] + weights[pair[1]]
        children[node] = pair
    found = [0.0] * size

    def walk(node, product):
        if node < size:
            found[node] = product
            return
        share = 1 / (1 + math.exp(-float(model.output[node - size] @ hidden)))
        walk(children[node][0], product * (1 - share + 1e-5))
        walk(children[node][1], product * (share + 1e-5))

    walk(2 * size - 2, 1.0)
    return found
