"""`textkit ngram`: train, question and use n-gram language models."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..ngram.model import NGramModel
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer

MODEL = click.argument("model", type=click.Path(path_type=Path))
ARPA_TOKENIZER = click.option(
    "--tokenizer", default="whitespace", show_default=True, help="For ARPA files, which do not say how to split text."
)


@click.group()
def ngram() -> None:
    """N-gram language models: train, perplexity, score, generate.

    Wherever a MODEL is asked for, an ARPA file (also compressed) will do.
    """


@ngram.command()
@common.INPUTS
@click.option("--order", type=int, default=3, show_default=True, help="Length of the longest n-grams.")
@common.OUTPUT
@click.option("--arpa", type=click.Path(path_type=Path), help="Also write the model as an ARPA file (.gz, .xz, … too).")
@click.option("--discount-fallback", default="0.5 1 1.5", show_default=True, help="Where counts give no discounts.")
@click.option("--prune", default="", help="Leave out n-grams that occur at most so often, by order: '0 0 1'.")
@click.option("--limit-vocab", type=click.Path(path_type=Path), help="Leave out n-grams with a word not in this list.")
@click.option("--vocab-pad", type=int, default=0, help="Take the vocabulary to be at least so large.")
@click.option(
    "--interpolate-unigrams/--no-interpolate-unigrams",
    default=True,
    show_default=True,
    help="Share out the uniform distribution, or give <unk> all of it.",
)
@common.tokenizing("word")
@common.choosing_words
@common.reading
@common.caching
@common.THREADS
@common.JSON
def train(
    reader: "Reader",
    order: int,
    output: Path | None,
    arpa: Path | None,
    discount_fallback: str,
    prune: str,
    limit_vocab: Path | None,
    vocab_pad: int,
    interpolate_unigrams: bool,
    tokenizer: "Tokenizer",
    min_count: int,
    max_vocab: int | None,
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train an interpolated modified Kneser-Ney model.

    \b
    textkit ngram train text.txt --order 3 --output text.ngram
    textkit ngram train *.txt.gz --order 5 --tokenizer whitespace --arpa text.arpa
    """
    from ..ngram.arpa import write_model
    from ..ngram.model import NGramModel, TrainingConfig

    began = time.perf_counter()
    config = TrainingConfig(
        order,
        _numbers("--discount-fallback", discount_fallback),
        tuple(int(n) for n in _numbers("--prune", prune)),
        _listed(limit_vocab) if limit_vocab else None,
        interpolate_unigrams,
        vocab_pad,
    )
    target = output or (None if arpa else _default_output(reader))
    corpus = common.encode(reader, tokenizer, cache, threads, min_count=min_count, max_vocab=max_vocab)
    with common.progress_bar() as progress:
        model = NGramModel.train(corpus, config, threads=threads, progress=progress)
        if target:
            model.save(target)
        if arpa:
            write_model(model, arpa, threads)
    _tell_training(model)
    written = [str(path) for path in (target, arpa) if path]
    if as_json:
        common.print_json({**_description(model), "written": written, "seconds": time.perf_counter() - began})
    else:
        _print_sizes(model, f"{', '.join(written)} ({time.perf_counter() - began:.1f} s)")


def _listed(path: Path) -> tuple[str, ...]:
    from ..text.vocabulary import SPECIALS, Vocabulary

    return tuple(Vocabulary.load_text(path).words()[len(SPECIALS) :])


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from ..errors import UsageError

    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise UsageError(f"{option} '{text}' is not a list of numbers.", "An example: '0 1 1'.") from None


def _default_output(reader: "Reader") -> Path:
    from ..errors import UsageError

    name = Path(str(reader.inputs[0])).name.split(".")[0] or "model"
    path = Path(f"{name if name != '-' else 'model'}.ngram")
    if path.exists():
        raise UsageError(f"{path} exists already.", "Say with --output where to write; what is there is replaced then.")
    return path


def _tell_training(model: "NGramModel") -> None:
    for order, reason in model.report["fallbacks"].items():
        used = " ".join(f"{d:g}" for d in model.report["discounts"][int(order) - 1])
        common.note(f"order {order}: discounts {used} were assumed, since of its n-grams {reason}.")
    if dropped := model.report["dropped_marks"]:
        common.note(f"{dropped:,} sentence marks (<s>, </s>) in the text were left out.")


def _description(model: "NGramModel") -> dict[str, Any]:
    return {
        "order": model.order,
        "ngrams": {str(n): size for n, size in enumerate(model.sizes, 1)},
        "vocabulary": len(model.vocabulary),
        "signature": model.signature,
        **model.report,
    }


def _print_sizes(model: "NGramModel", title: str) -> None:
    discounts = model.report.get("discounts", [])
    rows = []
    for n, size in enumerate(model.sizes, 1):
        given = " ".join(f"{d:.4f}" for d in discounts[n - 1]) if discounts else "-"
        rows.append([n, size, given])
    common.print_table(title, ["order", "n-grams", "discounts 1 2 3+"], rows)


def _load(path: Path, tokenizer: str) -> "NGramModel":
    from ..ngram.model import NGramModel
    from ..text.tokenizer import Tokenizer

    return NGramModel.load(path, Tokenizer(tokenizer))


@ngram.command()
@MODEL
@common.INPUTS
@click.option("--per-line", is_flag=True, help="A row for each line, too.")
@click.option("--per-word", is_flag=True, help="A row for each token, too.")
@ARPA_TOKENIZER
@common.reading
@common.THREADS
@common.JSON
def perplexity(
    model: Path, reader: "Reader", per_line: bool, per_word: bool, tokenizer: str, threads: int | None, as_json: bool
) -> None:
    """Perplexity of text under a model, with and without unknown words.

    \b
    textkit ngram perplexity text.ngram held-out.txt
    """
    from ..ngram import scoring

    loaded = _load(model, tokenizer)
    if per_word:
        _print_words(loaded, reader, as_json)
    elif per_line:
        _print_lines(loaded, reader, threads, as_json)
    with common.progress_bar() as progress:
        summary = scoring.perplexity(loaded, reader, threads=threads, progress=progress)
    common.tell_skipped(reader)
    if as_json:
        click.echo(json.dumps({**summary.as_dict(), "signature": loaded.signature}))
        return
    labels = {
        "perplexity": f"{summary.perplexity:.6g}",
        "perplexity without OOV": f"{summary.perplexity_without_oov:.6g}",
        "bits per token": f"{summary.bits_per_token:.4f}",
        "bits per character": f"{summary.bits_per_character:.4f}",
        "bits per byte": f"{summary.bits_per_byte:.4f}",
        "tokens (with line ends)": f"{summary.tokens:,}",
        "OOV tokens": f"{summary.oov:,}",
        "OOV rate": f"{summary.oov_rate:.3%}",
        "lines": f"{summary.lines:,}",
        "log10 probability": f"{summary.log10_prob:.6g}",
    }
    common.print_table(str(model), ["measure", "value"], [[name, value] for name, value in labels.items()])


def _print_words(model: "NGramModel", reader: "Reader", as_json: bool) -> None:
    from ..ngram.scoring import word_scores

    for scores in word_scores(model, reader):
        for word in scores:
            if as_json:
                click.echo(json.dumps(word.__dict__, ensure_ascii=False))
            else:
                click.echo(f"{word.word}\t{word.log10_prob:.6f}\t{word.order}{'	OOV' if word.oov else ''}")
        if not as_json:
            click.echo()


def _print_lines(model: "NGramModel", reader: "Reader", threads: int | None, as_json: bool) -> None:
    from ..ngram.scoring import line_records

    if not as_json:
        click.echo("log10_prob\tperplexity\ttokens\toov\ttext")
    for record in line_records(model, reader, threads=threads):
        click.echo(json.dumps(record.as_dict(), ensure_ascii=False) if as_json else record.as_row())


@ngram.command()
@MODEL
@common.INPUTS
@ARPA_TOKENIZER
@common.reading
@common.THREADS
@common.JSON
def score(model: Path, reader: "Reader", tokenizer: str, threads: int | None, as_json: bool) -> None:
    """Score every line, in order: log10 probability, perplexity, tokens, unknown tokens, and the text.

    \b
    textkit ngram score text.ngram lines.txt > scored.tsv
    zcat pages.gz | textkit ngram score text.ngram - --json
    """
    _print_lines(_load(model, tokenizer), reader, threads, as_json)
    common.tell_skipped(reader)


@ngram.command()
@MODEL
@click.option("-n", "--count", type=click.IntRange(1), default=5, show_default=True, help="How many sentences.")
@click.option("--prefix", default="", help="Beginning of each sentence.")
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Below 1: more probable words; 0: the most probable.",
)
@click.option("--top-k", type=int, help="Draw from so many most probable words only.")
@click.option(
    "--top-p", type=float, default=1.0, show_default=True, help="Draw from words that make up this probability."
)
@click.option("--max-tokens", type=int, default=50, show_default=True, help="End a sentence after so many.")
@ARPA_TOKENIZER
@common.SEED
@common.JSON
def generate(
    model: Path,
    count: int,
    prefix: str,
    temperature: float,
    top_k: int | None,
    top_p: float,
    max_tokens: int,
    tokenizer: str,
    seed: int,
    as_json: bool,
) -> None:
    """Draw random sentences from a model.

    \b
    textkit ngram generate text.ngram --prefix "In the beginning" --temperature 0.8 --seed 7
    """
    from ..ngram.generate import sentences

    settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "max_tokens": max_tokens}
    for sentence in sentences(_load(model, tokenizer), count, prefix=prefix, seed=seed, **settings):  # type: ignore[arg-type]
        click.echo(json.dumps({"text": sentence}, ensure_ascii=False) if as_json else sentence)


@ngram.command("next")
@MODEL
@click.argument("prefix", default="")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many words.")
@ARPA_TOKENIZER
@common.JSON
def next_words(model: Path, prefix: str, top: int, tokenizer: str, as_json: bool) -> None:
    """The most probable next words after PREFIX, the beginning of a sentence.

    \b
    textkit ngram next text.ngram "one of the"
    """
    found = _load(model, tokenizer).next_words(prefix, top)
    if as_json:
        common.print_json([{"word": word, "probability": probability} for word, probability in found])
    else:
        common.print_table(prefix or "<s>", ["word", "probability"], [[w, f"{p:.6f}"] for w, p in found])


@ngram.command()
@MODEL
@ARPA_TOKENIZER
@common.JSON
def info(model: Path, tokenizer: str, as_json: bool) -> None:
    """What a model is: sizes, discounts, tokenizer, training text.

    \b
    textkit ngram info text.ngram
    """
    loaded = _load(model, tokenizer)
    if as_json:
        common.print_json(_description(loaded))
        return
    _print_sizes(loaded, str(model))
    click.echo(f"signature\t{loaded.signature}")
    for name in ("tokens", "lines"):
        if name in loaded.report:
            click.echo(f"training {name}\t{loaded.report[name]:,}")
