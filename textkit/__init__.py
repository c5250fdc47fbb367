"""textkit: n-gram models, word vectors and text classification on ordinary CPUs.

Importing this package is cheap; each name below loads what it needs on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .classify.model import Classifier as Classifier
    from .errors import DataError as DataError
    from .errors import TextkitError as TextkitError
    from .errors import UsageError as UsageError
    from .ngram.model import NGramModel as NGramModel
    from .text.corpus import EncodedCorpus as EncodedCorpus
    from .text.reader import Reader as Reader
    from .text.tokenizer import Tokenizer as Tokenizer
    from .text.vocabulary import Vocabulary as Vocabulary
    from .vectors.model import WordVectors as WordVectors
    from .vectors.word2vec import Word2Vec as Word2Vec

_HOMES = {
    "Classifier": "classify.model",
    "DataError": "errors",
    "TextkitError": "errors",
    "UsageError": "errors",
    "NGramModel": "ngram.model",
    "EncodedCorpus": "text.corpus",
    "Reader": "text.reader",
    "Tokenizer": "text.tokenizer",
    "Vocabulary": "text.vocabulary",
    "Word2Vec": "vectors.word2vec",
    "WordVectors": "vectors.model",
}
__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - the names are resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'textkit' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
