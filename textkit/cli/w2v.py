"""`textkit w2v`: train word vectors."""

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common
from .w2v_use import USE

if TYPE_CHECKING:
    from ..text.corpus import EncodedCorpus
    from ..text.reader import Reader
    from ..text.tokenizer import Tokenizer
    from ..vectors.config import Config
    from ..vectors.model import WordVectors
    from ..vectors.training import Trainer

FILE = click.Path(path_type=Path)


@click.group()
def w2v() -> None:
    """Word vectors: train, question, evaluate, convert.

    Wherever a MODEL is asked for, vectors of word2vec (text or binary), fastText (.vec), GloVe and others will do.
    """


for command in USE:
    w2v.add_command(command)

_SETTINGS = (
    click.option("--like", help="Defaults of another program: word2vec, gensim or fasttext."),
    click.option("--model", help="skipgram or cbow.  [default: skipgram]"),
    click.option("--loss", help="ns (negative sampling), hs (hierarchical softmax), softmax.  [default: ns]"),
    click.option("--dim", type=int, help="Numbers per vector.  [default: 100]"),
    click.option("--window", type=int, help="Words of context to each side.  [default: 5]"),
    click.option("--fixed-window", is_flag=True, default=None, help="Always the whole window, not a random part."),
    click.option("--min-count", type=int, help="Leave out rarer words.  [default: 5]"),
    click.option("--max-vocab", type=int, help="Keep only so many most frequent words."),
    click.option(
        "--sample", type=float, help="Threshold for thinning out frequent words, 0 for none.  [default: 1e-4]"
    ),
    click.option("--negatives", type=int, help="Drawn words per target.  [default: 5]"),
    click.option("--ns-exponent", "exponent", type=float, help="Draw them by count to this power.  [default: 0.75]"),
    click.option("--epochs", type=int, help="Passes over the text.  [default: 5; more for small texts]"),
    click.option(
        "--rate",
        help="Learning rate. auto: what suits the model, about 0.06 for skipgram and 0.25 for cbow, less for more "
        "words to train on.  [default: auto]",
    ),
    click.option("--rate-floor", "floor", type=float, help="Never below this share of it.  [default: 0.0001]"),
    click.option("--decay", help="linear, cosine or constant.  [default: linear]"),
    click.option("--cbow-sum", "combine", flag_value="sum", help="CBOW: sum the window's vectors, not their mean."),
    click.option(
        "--cbow-mean-compat", "combine", flag_value="mean-compat", help="CBOW: word2vec.c's undivided gradient."
    ),
    click.option(
        "--position-weights", is_flag=True, default=None, help="CBOW: learn weights for each place in the window."
    ),
    click.option("--subword", help="Also vectors of character n-grams: 3-6 for 3 to 6 characters."),
    click.option("--buckets", type=int, help="Numbers that n-grams are hashed to.  [default: 2000000]"),
    click.option("--time-budget", "budget", type=float, help="Train for so many seconds at most."),
    click.option("--seed", type=int, help="Start of the random numbers.  [default: 0]"),
)


def _settings(function: Callable) -> Callable:
    """Options of training; passed as `config`, which makes a Config of them when it is told the model to train on."""

    @functools.wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        chosen = {name: given.pop(name) for name in _SETTING_NAMES}
        return function(*args, config=functools.partial(_config, **chosen), **given)

    return functools.reduce(lambda f, option: option(f), reversed(_SETTINGS), wrapper)


_SETTING_NAMES = (
    "like", "model", "loss", "dim", "window", "fixed_window", "min_count", "max_vocab", "sample", "negatives",
    "exponent", "epochs", "rate", "floor", "decay", "combine", "position_weights", "subword", "buckets", "budget",
    "seed",
)  # fmt: skip


def _config(
    base: "WordVectors | None", like: str | None, subword: str | None, rate: str | None, **given: Any
) -> "Config":
    from ..vectors.config import Config

    settings = {name: value for name, value in given.items() if value is not None}
    if rate:
        settings["rate"] = _rate(rate)
    if subword:
        settings["subwords"] = common.lengths("--subword", subword)
    if like:
        return Config.like(like, **settings)
    return base.trained_on(**settings) if base else Config(**settings)


def _rate(given: str) -> float | None:
    from ..errors import UsageError

    try:
        return None if given == "auto" else float(given)
    except ValueError:
        raise UsageError(f"--rate {given} is no number.", "Give one such as 0.05, or auto.") from None


@w2v.command()
@common.INPUTS
@common.OUTPUT
@_settings
@click.option("--from", "base", type=FILE, help="Train this model on: its words, vectors and settings.")
@click.option("--init", type=FILE, help="Begin with the vectors of this file where it has the words.")
@click.option("--freeze", is_flag=True, help="With --init or --from: leave those vectors as they are.")
@click.option("--checkpoint", type=FILE, help="Where to keep the state of training.  [default: OUTPUT.checkpoint]")
@click.option("--checkpoint-every", type=float, default=300, show_default=True, help="How often, in seconds.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint of an interrupted run, if there is one.")
@click.option("--evaluate", type=FILE, multiple=True, help="Measure on this analogy or similarity file meanwhile.")
@click.option("--patience", type=int, help="Stop when so many measurements on --evaluate brought nothing better.")
@click.option("--log", type=FILE, help="Write settings, rates and losses as JSON.")
@click.option("--plot", type=FILE, help="Draw the loss into a .svg, .png or .pdf.")
@click.option("--storage", default="float32", show_default=True, help="float32, float16 or int8.")
@click.option("--for-use-only", is_flag=True, help="Leave out what only training on needs: half the size.")
@common.tokenizing("word")
@common.reading
@common.caching
@common.THREADS
@common.JSON
def train(
    reader: "Reader",
    output: Path | None,
    config: "Callable[[WordVectors | None], Config]",
    base: Path | None,
    init: Path | None,
    freeze: bool,
    checkpoint: Path | None,
    checkpoint_every: float,
    resume: bool,
    evaluate: tuple[Path, ...],
    patience: int | None,
    log: Path | None,
    plot: Path | None,
    storage: str,
    for_use_only: bool,
    tokenizer: "Tokenizer",
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train word vectors on text.

    \b
    textkit w2v train text.txt --output text.w2v
    textkit w2v train *.txt.gz --lowercase --subword 3-6 --dim 300 -o big.w2v
    textkit w2v train more.txt --from text.w2v -o both.w2v
    """
    from ..errors import DataError
    from ..vectors import word2vec

    began = time.perf_counter()
    target = output or common.default_output(reader.inputs, ".w2v")
    if not target.parent.is_dir():  # better said now than after hours of training
        raise DataError(f"cannot write {target}: {target.parent} is no directory.", "Choose another --output.")
    start = _opened(base or init)
    if base and start:
        tokenizer = start.tokenizer
    settings = config(start if base else None)
    corpus = _corpus(reader, tokenizer, settings, start if base else None, cache, threads)
    trainer = _trainer(corpus, settings, threads)
    if start:
        for remark in word2vec.started_from(trainer, start, freeze):
            common.note(remark)
    watcher = word2vec.Watcher(trainer, evaluate, patience)
    keep = checkpoint or target.with_name(target.name + ".checkpoint")
    _run(trainer, watcher if evaluate else None, keep, checkpoint_every, resume)
    model = word2vec.finished(trainer, not for_use_only)
    similarity = model.save(target, storage, not for_use_only)
    for complaint in trainer.complaints:
        common.note(complaint)
    if similarity < 1:
        common.note(f"stored as {storage}: mean cosine to the trained vectors {similarity:.6f}.")
    if log:
        word2vec.write_log(model, log)
    if plot:
        from ..vectors.plots import loss_plot

        loss_plot(model.report["history"], plot)
    _tell(model, target, time.perf_counter() - began, as_json)


def _opened(path: Path | None) -> Any:
    from ..vectors.model import WordVectors

    return WordVectors.load(path) if path else None


def _corpus(
    reader: "Reader", tokenizer: "Tokenizer", config: "Config", base: Any, cache: Path | None, threads: int | None
) -> "EncodedCorpus":
    if base is None:
        chosen = {"min_count": config.min_count, "max_vocab": config.max_vocab}
        return common.encode(reader, tokenizer, cache, threads, sparing=True, **chosen)
    from ..vectors.word2vec import grown_vocabulary

    with common.progress_bar() as progress:
        vocabulary = grown_vocabulary(base, reader, config.min_count, threads=threads, progress=progress)
    return common.encode(reader, tokenizer, cache, threads, sparing=True, vocabulary=vocabulary)


def _run(trainer: "Trainer", watcher: Any, checkpoint: Path, every: float, resume: bool) -> None:
    try:
        with common.progress_bar() as progress:
            trainer.run(progress, callback=watcher, checkpoint=checkpoint, checkpoint_seconds=every, resume=resume)
    except KeyboardInterrupt:
        if checkpoint.exists():
            common.note(f"the state is kept in {checkpoint}; the same command with --resume goes on.")
        raise


def _trainer(corpus: "EncodedCorpus", config: "Config", threads: int | None) -> "Trainer":
    from ..vectors.training import Trainer

    return Trainer(corpus, config, threads)


def _tell(model: Any, target: Path, seconds: float, as_json: bool) -> None:
    report = model.report
    last = report["history"][-1] if report["history"] else {}
    if as_json:
        described = {"words": len(model), "dim": model.dim, "signature": model.signature, **report}
        click.echo(json.dumps({**described, "written": str(target), "seconds": seconds}, ensure_ascii=False, indent=2))
        return
    rows = [
        ["words", len(model)],
        ["dimensions", model.dim],
        ["tokens of text", report["tokens"]],
        ["epochs", report["epochs"]],
        ["words trained on", report["words_trained"]],
        ["learning rate", f"{report['rate']:.4g}"],
    ]
    if "loss" in last:
        rows.append(["held-out loss", f"{last['loss']:.4f}"])
    common.print_table(f"{target} ({seconds:.1f} s)", ["what", "value"], rows)


@w2v.command()
@common.INPUTS
@common.OUTPUT
@click.option("--score", default="count", show_default=True, help="count (as word2phrase) or npmi.")
@click.option("--threshold", type=float, help="Join above this score.  [default: 100 for count, 0.5 for npmi]")
@click.option("--min-count", type=int, default=5, show_default=True, help="Leave rarer pairs alone.")
@click.option("--passes", type=int, default=1, show_default=True, help="Times to join: two make phrases of up to four.")
@click.option("--joiner", default="_", show_default=True, help="What to put between the words of a phrase.")
@click.option("--list", "listing", is_flag=True, help="Show the phrases with counts and scores instead of the text.")
@common.tokenizing("word")
@common.reading
@common.caching
@common.THREADS
@common.JSON
def phrases(
    reader: "Reader",
    output: Path | None,
    score: str,
    threshold: float | None,
    min_count: int,
    passes: int,
    joiner: str,
    listing: bool,
    tokenizer: "Tokenizer",
    cache: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Join words that often stand together to one token (New York -> New_York), before training.

    \b
    textkit w2v phrases text.txt --passes 2 --output joined.txt
    textkit w2v train joined.txt --tokenizer whitespace
    textkit w2v phrases text.txt --list --score npmi
    """
    from ..vectors.phrases import PhraseConfig, lines_of, with_phrases

    config = PhraseConfig(score, threshold, min_count, passes, joiner)
    corpus = common.encode(reader, tokenizer, cache, threads)
    with common.progress_bar():
        joined, found = with_phrases(corpus, config)
    if listing or as_json:
        rows = [
            [number, word, count, value]
            for number, each in enumerate(found, 1)
            for word, count, value in zip(each.words, each.counts.tolist(), each.scores.tolist(), strict=True)
        ]
        header = ["pass", "phrase", "count", "score"]
        if as_json:
            common.print_json([dict(zip(header, row, strict=True)) for row in rows])
        else:
            common.print_table("phrases", header, [[n, w, c, f"{s:.6g}"] for n, w, c, s in rows])
        return
    common.write_pieces(lines_of(joined), output)
    common.note(f"{sum(len(each.words) for each in found):,} phrases in {len(found)} passes.")
