"""What people otherwise run, each as a small program: `python bench/peers.py JOB FILE`."""

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


if __name__ == "__main__":
    job, path = sys.argv[1:]
    found = {"split": count_split, "regex": count_regex, "tokenizers": count_tokenizers}[job](path)
    sys.stdout.writelines(f"{word}\t{count}\n" for word, count in found.most_common())
