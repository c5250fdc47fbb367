"""Which features documents have: the settings of `Features`, and their check."""

from dataclasses import dataclass

from ..errors import UsageError

LARGEST_ORDER, LONGEST_PIECE = 20, 100


@dataclass(frozen=True)
class FeatureConfig:
    """Which features there are.

    Args:
        word_ngrams: longest n-grams of words.
        chars: (shortest, longest) n-grams of the characters of a word in angle brackets, or None.
        buckets: hash n-grams to so many numbers, as fastText does; None keeps them exactly, in a counted dictionary.
        min_count: leave out words that are rarer in the training documents.
        min_ngram_count: leave out n-grams that are rarer (hashed ones: buckets that are).
        end_mark: the end of a document is a word, </s>.

    Raises:
        UsageError: an impossible value.
    """

    word_ngrams: int = 2
    chars: tuple[int, int] | None = None
    buckets: int | None = None
    min_count: int = 1
    min_ngram_count: int = 2
    end_mark: bool = False

    def __post_init__(self) -> None:
        for option, value, most in (
            ("word-ngrams", self.word_ngrams, LARGEST_ORDER),
            ("buckets", self.buckets or 1, (1 << 31) - 1),
            ("min-count", self.min_count, 1 << 62),
            ("min-ngram-count", self.min_ngram_count, 1 << 62),
        ):
            if not 1 <= value <= most:
                raise UsageError(f"--{option} {value} makes no sense.", f"Give 1 to {most}.")
        if self.chars and not 1 <= self.chars[0] <= self.chars[1] <= LONGEST_PIECE:
            raise UsageError(f"--chars {self.chars[0]}-{self.chars[1]} makes no sense.", "3-6 is usual.")
