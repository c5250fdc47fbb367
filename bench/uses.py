"""Saved vectors in use, each way as a small program: `python bench/uses.py JOB FILE COUNT`."""

import sys

TOP = 10


def convert_gensim(path: str, target: str) -> None:
    """Vectors of word2vec's binary format as gensim's own file, which it can map."""
    from gensim.models import KeyedVectors

    KeyedVectors.load_word2vec_format(path, binary=True).save(target)


def neighbours_textkit(path: str, count: int) -> None:
    """All queries at once, by the library."""
    import numpy as np

    from textkit import WordVectors

    model = WordVectors.load(path)
    words = model.words[:count]
    _print(model.nearest(np.stack([model[w] for w in words]), [[w] for w in words], top=TOP))


def neighbours_gensim(path: str, count: int) -> None:
    """One most_similar for each word, the only way gensim has."""
    from gensim.models import KeyedVectors

    if path.endswith(".bin"):
        model = KeyedVectors.load_word2vec_format(path, binary=True)
    else:
        model = KeyedVectors.load(path, mmap="r")
    _print([model.most_similar(word, topn=TOP) for word in model.index_to_key[:count]])


def neighbours_numpy(path: str, count: int) -> None:
    """One matrix product and a partial sort."""
    import numpy as np

    words, matrix = [], []
    with open(path, "rb") as stream:
        size, dim = map(int, stream.readline().split())
        for _ in range(size):
            word = bytearray()
            while (byte := stream.read(1)) != b" ":
                word += byte.strip()
            words.append(word.decode())
            matrix.append(np.frombuffer(stream.read(4 * dim), np.float32))
    unit = np.stack(matrix)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scores = unit[:count] @ unit.T
    np.fill_diagonal(scores, -2)
    best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
    _print([[(words[j], scores[i, j]) for j in row] for i, row in enumerate(best.tolist())])


def _print(found: list) -> None:
    for row in found:
        print(*(word for word, _ in row), sep="\t")


if __name__ == "__main__":
    job, path, argument = sys.argv[1:]
    if job == "convert_gensim":
        convert_gensim(path, argument)
        sys.exit()
    verb, way = job.split("_")
    globals()[f"neighbours_{way}"](path, 1 if verb == "open" else int(argument))
