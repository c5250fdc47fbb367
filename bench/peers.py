"""What people otherwise run, each as a small program: `python bench/peers.py JOB FILE [MODEL]`."""

import sys
from collections import Counter


def count_split(path: str) -> Counter:
    """Words between white space with str.split."""
    counts: Counter = Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts.update(line.split())
    return counts


def count_regex(path: str) -> Counter:
    """Words and punctuation with the regex package."""
    import regex

    find = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}\p{N}]+)*|[^\s\p{C}]").findall
    counts: Counter = Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts.update(find(line))
    return counts


def count_tokenizers(path: str) -> Counter:
    """Words and punctuation with the word-level pre-tokenizer of Hugging Face's tokenizers (compiled Rust)."""
    from tokenizers.pre_tokenizers import Whitespace

    split = Whitespace().pre_tokenize_str
    counts: Counter = Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts.update(token for token, _ in split(line))
    return counts


def train_gensim(job: str, path: str, target: str, epochs: str, threads: str) -> None:
    """Word vectors with gensim, by its fastest way (a file of sentences, read by each thread for itself)."""
    from gensim.models import Word2Vec

    _, kind, loss = job.split("-")
    settings = {"vector_size": 100, "window": 5, "min_count": 5, "sample": 1e-4}
    choices = {"sg": kind == "skipgram", "hs": loss == "hs", "negative": 0 if loss == "hs" else 5}
    model = Word2Vec(corpus_file=path, workers=int(threads), epochs=int(epochs), **settings, **choices)
    model.wv.save_word2vec_format(target, binary=True)


def score_lines(path: str, model: str) -> None:
    """Scores, perplexities and unknown words of lines with the kenlm module."""
    import kenlm

    loaded = kenlm.Model(model)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            scores = list(loaded.full_scores(line))
            total, oov = sum(score[0] for score in scores), sum(score[2] for score in scores)
            sys.stdout.write(f"{total:.6f}\t{10 ** (-total / len(scores)):.6g}\t{len(scores)}\t{oov}\t{line}")


def score_words(path: str, model: str) -> None:
    """Scores of words with the kenlm module."""
    import kenlm

    loaded = kenlm.Model(model)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            for word, (score, order, oov) in zip([*line.split(), "</s>"], loaded.full_scores(line), strict=False):
                sys.stdout.write(f"{word}\t{score:.6f}\t{order}\t{oov:d}\n")


SCORING = {"kenlm_sentence": score_lines, "kenlm_word": score_words}

if __name__ == "__main__":
    if sys.argv[1].startswith("gensim-"):
        train_gensim(*sys.argv[1:])
        sys.exit()
    job, path, *rest = sys.argv[1:]
    if job in SCORING:
        SCORING[job](path, *rest)
        sys.exit()
    found = {"split": count_split, "regex": count_regex, "tokenizers": count_tokenizers}[job](path)
    sys.stdout.writelines(f"{word}\t{count}\n" for word, count in found.most_common())
