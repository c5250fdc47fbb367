"""What people otherwise run, each as a small program: `python bench/peers.py JOB FILE [MODEL]`."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice


def _split() -> Callable[[str], Iterable[str]]:
    return str.split


def _regex() -> Callable[[str], Iterable[str]]:
    """Words and punctuation with the regex package."""
    import regex

    return regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}\p{N}]+)*|[^\s\p{C}]").findall


def _tokenizers() -> Callable[[str], Iterable[str]]:
    """Words and punctuation with the word-level pre-tokenizer of Hugging Face's tokenizers (compiled Rust)."""
    from tokenizers.pre_tokenizers import Whitespace

    split = Whitespace().pre_tokenize_str
    return lambda line: [token for token, _ in split(line)]


def _wordpunct() -> Callable[[str], Iterable[str]]:
    from nltk.tokenize import wordpunct_tokenize

    return wordpunct_tokenize


def _treebank() -> Callable[[str], Iterable[str]]:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer().tokenize


def _counter(way: str) -> Counter:
    if way != "wordpunct":
        return Counter()
    from nltk import FreqDist

    return FreqDist()


SPLITTERS = {
    "split": _split, "regex": _regex, "tokenizers": _tokenizers, "wordpunct": _wordpunct, "treebank": _treebank,
}  # fmt: skip


def count(way: str, path: str) -> None:
    """Words with their counts, the most frequent first."""
    split, counts = SPLITTERS[way](), _counter(way)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts.update(split(line))
    sys.stdout.writelines(f"{word}\t{number}\n" for word, number in counts.most_common())


def tokenize(way: str, path: str) -> None:
    """Each line with its tokens set apart by spaces."""
    split = SPLITTERS[way]()
    with open(path, encoding="utf-8") as lines:
        sys.stdout.writelines(f"{' '.join(split(line))}\n" for line in lines)


def encode_tokenizers(path: str) -> dict[str, int]:
    """A vocabulary and the text as its numbers, all in compiled code and on all threads."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train([path], trainers.WordLevelTrainer(vocab_size=1 << 30, special_tokens=["<unk>"]))
    tokens = 0
    with open(path, encoding="utf-8") as lines:
        for some in batched(lines, 10_000):
            tokens += sum(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(some))
    return {"types": tokenizer.get_vocab_size() - 1, "tokens": tokens}


def encode_countvectorizer(path: str) -> dict[str, int]:
    """A vocabulary and the numbers of the words of each line, with their counts."""
    from sklearn.feature_extraction.text import CountVectorizer

    with open(path, encoding="utf-8") as lines:
        counts = CountVectorizer(lowercase=False, token_pattern=r"\w+|[^\w\s]+").fit_transform(lines)
    return {"types": counts.shape[1], "tokens": int(counts.sum())}


def batched(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of so many lines."""
    rest = iter(lines)
    while some := list(islice(rest, size)):
        yield some


def train_gensim(path: str, target: str, *settings: str) -> None:
    """Word vectors with gensim, by its fastest way (a file of sentences, read by each thread for itself).

    Settings are `name=number`.
    """
    from gensim.models import Word2Vec

    numbers = {name: json.loads(number) for name, number in (setting.split("=") for setting in settings)}
    model = Word2Vec(corpus_file=path, **numbers)
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

ENCODING = {"encode_tokenizers": encode_tokenizers, "encode_countvectorizer": encode_countvectorizer}

if __name__ == "__main__":
    job, path, *rest = sys.argv[1:]
    if job == "gensim":
        train_gensim(path, *rest)
    elif job in SCORING:
        SCORING[job](path, *rest)
    elif job in ENCODING:
        json.dump(ENCODING[job](path), sys.stdout)
    else:
        verb, way = job.split("_")
        {"count": count, "tokenize": tokenize}[verb](way, path)
