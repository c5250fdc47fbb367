"""The commands of `textkit w2v` that use vectors: neighbours, analogies, evaluation, classes, maps, other formats."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import common

if TYPE_CHECKING:
    from ..text.reader import Reader
    from ..vectors.model import Neighbour, WordVectors

FILE = click.Path(path_type=Path)
MODEL = click.argument("model", type=FILE)
LAYOUT = click.option(
    "--layout", default="auto", show_default=True, help="Of a MODEL of another program: text, binary, fasttext, glove …"
)
TOP = click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many words.")
RESTRICT = click.option("--restrict", type=click.IntRange(1), help="Only among so many most frequent words.")


def _load(path: Path, layout: str) -> "WordVectors":
    from ..vectors.model import WordVectors

    with common.progress_bar():
        return WordVectors.load(path, layout)


def _words(given: tuple[str, ...]) -> list[str]:
    """The words of the command line; those of standard input where it says `-`."""
    return [w for word in given for w in (sys.stdin.read().split() if word == "-" else [word])]


@click.command()
@MODEL
@click.argument("words", nargs=-1)
@click.option("--negative", "-n", multiple=True, help="A word to turn away from; may be given again.")
@click.option("--approximate", is_flag=True, help="By an index, for many WORDS; may miss some (textkit[ann]).")
@click.option("--together", is_flag=True, help="Words near the sum of all WORDS, not to each of them.")
@TOP
@RESTRICT
@LAYOUT
@common.THREADS
@common.JSON
def similar(
    model: Path,
    words: tuple[str, ...],
    negative: tuple[str, ...],
    approximate: bool,
    together: bool,
    top: int,
    restrict: int | None,
    layout: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """The words most similar to each of WORDS (- reads them from standard input).

    \b
    textkit w2v similar text.w2v Paris
    textkit w2v similar text.w2v king woman --together --negative man
    cat words.txt | textkit w2v similar text.w2v - > neighbours.tsv
    """
    from ..errors import UsageError

    loaded, listed = _load(model, layout), _words(words)
    if not listed and not negative:
        raise UsageError("there is no word to look for.", "An example: textkit w2v similar text.w2v Paris")
    if together or negative:
        found = [loaded.similar(listed, negative, top=top, restrict=restrict, threads=threads)]
        names = [" ".join([*listed, *(f"-{w}" for w in negative)])]
    elif approximate:
        from ..vectors.approximate import ApproximateIndex

        names, found = listed, ApproximateIndex(loaded, restrict=restrict, threads=threads).nearest(listed, top=top)
    else:
        import numpy as np

        queries = np.stack([loaded[w] for w in listed])
        found = loaded.nearest(queries, [[w] for w in listed], top=top, restrict=restrict, threads=threads)
        names = listed
    _show(names, found, as_json)


def _show(names: list[str], found: "list[list[Neighbour]]", as_json: bool) -> None:
    pairs = list(zip(names, found, strict=True))
    if as_json:
        common.print_json([{"query": n, "similar": [{"word": w, "cosine": s} for w, s in f]} for n, f in pairs])
    elif len(names) == 1:
        common.print_table(names[0], ["word", "cosine"], [[w, f"{s:.4f}"] for w, s in found[0]])
    else:
        rows = [[n, w, f"{s:.4f}"] for n, f in pairs for w, s in f]
        common.print_table("similar words", ["query", "word", "cosine"], rows)


@click.command()
@MODEL
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option("--method", default="add", show_default=True, help="add (3CosAdd) or mul (3CosMul).")
@TOP
@LAYOUT
@common.JSON
def analogy(model: Path, a: str, b: str, c: str, method: str, top: int, layout: str, as_json: bool) -> None:
    """What is to C as B is to A.

    \b
    textkit w2v analogy text.w2v France Paris Japan
    """
    found = _load(model, layout).analogy(a, b, c, top=top, method=method)
    _show([f"{a} : {b} = {c} : ?"], [found], as_json)


@click.command("odd-one-out")
@MODEL
@click.argument("words", nargs=-1, required=True)
@LAYOUT
@common.JSON
def odd_one_out(model: Path, words: tuple[str, ...], layout: str, as_json: bool) -> None:
    """Which of three or more WORDS fits the others least: it is shown first.

    \b
    textkit w2v odd-one-out text.w2v breakfast lunch dinner Paris
    """
    found = _load(model, layout).odd_one_out(_words(words))
    if as_json:
        common.print_json([{"word": w, "cosine_to_mean": s} for w, s in found])
    else:
        common.print_table("odd one out", ["word", "cosine to mean"], [[w, f"{s:.4f}"] for w, s in found])


@click.command()
@MODEL
@click.argument("words", nargs=-1, required=True)
@LAYOUT
@common.JSON
def distance(model: Path, words: tuple[str, ...], layout: str, as_json: bool) -> None:
    """The cosine of each two of WORDS, and the angle between them in degrees.

    \b
    textkit w2v distance text.w2v cat dog stone
    """
    import itertools
    import math

    from ..errors import UsageError

    loaded, listed = _load(model, layout), _words(words)
    if len(listed) < 2:
        raise UsageError("a distance needs two words.", "An example: textkit w2v distance text.w2v cat dog")
    rows = [(a, b, loaded.similarity(a, b)) for a, b in itertools.combinations(listed, 2)]
    angles = [math.degrees(math.acos(max(-1.0, min(1.0, s)))) for _, _, s in rows]
    if as_json:
        pairs = zip(rows, angles, strict=True)
        common.print_json([{"a": a, "b": b, "cosine": s, "degrees": d} for (a, b, s), d in pairs])
    else:
        shown = [[a, b, f"{s:.4f}", f"{d:.1f}"] for (a, b, s), d in zip(rows, angles, strict=True)]
        common.print_table("distances", ["a", "b", "cosine", "degrees"], shown)


@click.command()
@MODEL
@common.INPUTS
@common.OUTPUT
@LAYOUT
@common.reading
@common.THREADS
@common.JSON
def sentence(
    model: Path, reader: "Reader", output: Path | None, layout: str, threads: int | None, as_json: bool
) -> None:
    """A vector for each line of text: the mean of its words' unit vectors, zeros if none is known.

    \b
    textkit w2v sentence text.w2v lines.txt > vectors.txt
    """
    import io

    from ..formats.vectors import write_rows
    from ..vectors.sentences import sentence_vectors

    def pieces() -> Iterator[bytes]:
        for block, vectors in sentence_vectors(loaded, reader, threads):
            rows = io.BytesIO()
            write_rows(rows, [""] * len(vectors), vectors, ord("," if as_json else " "))
            if not as_json:
                yield rows.getvalue()
                continue
            for line, row in zip(block.lines(), rows.getvalue().decode().splitlines(), strict=True):
                text = json.dumps(line, ensure_ascii=False)
                yield f'{{"text": {text}, "vector": [{row}]}}\n'.encode("utf-8", "surrogateescape")

    loaded = _load(model, layout)
    common.write_pieces(pieces(), output)
    common.tell_skipped(reader)


@click.command()
@MODEL
@click.option("--classes", type=int, default=100, show_default=True, help="How many.")
@click.option("--words", "top", type=click.IntRange(1), help="Only so many most frequent words.")
@click.option("--sorted", "by_class", is_flag=True, help="Words of a class together, not in the order of the model.")
@common.SEED
@LAYOUT
@common.JSON
def cluster(model: Path, classes: int, top: int | None, by_class: bool, seed: int, layout: str, as_json: bool) -> None:
    """Put words into classes by k-means; prints `word class` lines as word2vec.c's -classes.

    \b
    textkit w2v cluster text.w2v --classes 200 --sorted > classes.txt
    """
    import numpy as np

    from ..vectors import cluster as clusters

    loaded = _load(model, layout)
    numbers, assigned = clusters.classes(loaded, classes, seed=seed, top=top)
    order = np.argsort(assigned, kind="stable") if by_class else np.arange(len(numbers))
    words = loaded.vocabulary.words(numbers[order].tolist())
    rows = zip(words, assigned[order].tolist(), strict=True)
    if as_json:
        common.print_json([{"word": w, "class": k} for w, k in rows])
    else:
        for word, number in rows:
            click.echo(f"{word} {number}")


@click.command()
@MODEL
@click.argument("questions", nargs=-1, required=True, type=FILE)
@click.option("--restrict", type=click.IntRange(1), default=30_000, show_default=True, help="Answers among so many.")
@click.option("--method", default="add", show_default=True, help="Of analogies: add (3CosAdd) or mul (3CosMul).")
@common.SEED
@LAYOUT
@common.JSON
def evaluate(
    model: Path, questions: tuple[Path, ...], restrict: int, method: str, seed: int, layout: str, as_json: bool
) -> None:
    """Measure vectors on QUESTIONS: files of analogies, or of word pairs with people's judgement of them.

    \b
    textkit w2v evaluate text.w2v questions-words.txt wordsim353.tsv
    """
    from ..errors import UsageError
    from ..vectors import evaluation

    if method not in ("add", "mul"):
        raise UsageError(f"unknown method '{method}'.", "Choose add or mul.")
    loaded = _load(model, layout)
    results: dict[str, Any] = {}
    for path in questions:
        if evaluation.is_questions(path):
            sections = evaluation.analogies(loaded, path, restrict=restrict, method=method)
            results[path.name] = [section.as_dict() for section in sections]
            rows = [[s.name, s.questions, s.covered, s.correct, f"{s.accuracy:.4f}"] for s in sections]
            header = ["section", "questions", "covered", "correct", "accuracy"]
        else:
            found = evaluation.similarities(loaded, path, seed=seed)
            results[path.name] = found.as_dict()
            low, high = f"{found.low:.4f}", f"{found.high:.4f}"
            rows = [[found.pairs, found.covered, f"{found.spearman:.4f}", low, high, f"{found.pearson:.4f}"]]
            header = ["pairs", "covered", "spearman", "95 % from", "to", "pearson"]
        if not as_json:
            common.print_table(path.name, header, rows)
    if as_json:
        common.print_json(results)


@click.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@click.option("--words", "size", type=click.IntRange(2), default=10_000, show_default=True, help="Most frequent ones.")
@click.option("--neighbours", type=click.IntRange(1), default=10, show_default=True, help="How many count as near.")
@TOP
@LAYOUT
@common.JSON
def compare(first: Path, second: Path, size: int, neighbours: int, top: int, layout: str, as_json: bool) -> None:
    """Which words mean something else in SECOND than in FIRST: those whose neighbours changed most.

    \b
    textkit w2v compare old.w2v new.w2v --top 20
    """
    import numpy as np

    from ..vectors.comparison import compare as compared

    found = compared(_load(first, layout), _load(second, layout), top=size, neighbours=neighbours)
    if as_json:
        common.print_json(found.as_dict())
        return
    order = np.lexsort((-found.drift, found.overlap))[:top]
    rows = [[found.words[i], f"{found.drift[i]:.4f}", f"{found.overlap[i]:.3f}"] for i in order.tolist()]
    common.print_table(
        f"{len(found.words):,} words in common: mean drift {found.drift.mean():.4f}, mean overlap of "
        f"{neighbours} neighbours {found.overlap.mean():.3f}",
        ["most changed", "drift", "overlap"],
        rows,
    )


@click.command()
@MODEL
@click.argument("words", nargs=-1)
@common.OUTPUT
@click.option("--top", type=click.IntRange(3), default=500, show_default=True, help="Without WORDS: so many frequent.")
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help="tsne (neighbourhoods; by scikit-learn), pca (widest directions), auto: the first if installed.",
)
@common.SEED
@LAYOUT
def plot(
    model: Path, words: tuple[str, ...], output: Path | None, top: int, method: str, seed: int, layout: str
) -> None:
    """Draw a map of words: a picture (.svg, .png, .pdf) or a page to explore in a browser (.html).

    \b
    textkit w2v plot text.w2v --output map.html
    textkit w2v plot text.w2v Paris Tokyo France Japan -o capitals.svg --method pca
    """
    from ..errors import UsageError
    from ..vectors import plots

    if output is None:
        raise UsageError("there is no file to draw into.", "An example: --output map.html")
    loaded = _load(model, layout)
    chosen, places = plots.word_map(loaded, _words(words), top=top, method=method, seed=seed)
    if output.suffix.lower() == ".html":
        plots.map_page(loaded, chosen, places, output, f"{len(chosen):,} words of {model.name}")
    else:
        plots.map_image(chosen, places, output)
    common.note(f"{output}: {len(chosen):,} words.")


@click.command()
@MODEL
@common.OUTPUT
@click.option("--to", "--format", "target", default="auto", show_default=True,
              help="text, binary, binary-gensim, glove, npy, projector, fasttext, textkit; auto goes by the ending.",
)  # fmt: skip
@click.option("--words", "words_only", is_flag=True, help="Print the words alone.")
@click.option("--top", type=click.IntRange(1), help="Only so many most frequent words.")
@click.option("--storage", default="float32", show_default=True, help="Of textkit: float32, float16 or int8.")
@LAYOUT
def export(
    model: Path, output: Path | None, target: str, words_only: bool, top: int | None, storage: str, layout: str
) -> None:
    """Write vectors in another format: word2vec, GloVe, NumPy, TensorBoard projector, fastText's .bin, textkit.

    \b
    textkit w2v export text.w2v --output text.vec
    textkit w2v export text.w2v --format fasttext --output text.bin
    textkit w2v export GoogleNews-vectors.bin --output news.w2v --storage int8
    """
    from ..errors import UsageError
    from ..formats import vectors as formats

    loaded = _load(model, layout)
    if words_only:
        for word in loaded.words[:top]:
            click.echo(word)
        return
    if output is None:
        raise UsageError("there is no file to write.", "An example: --output vectors.vec")
    if target == "textkit" or (
        target == "auto" and output.suffix not in (*formats.ENDINGS, ".gz", ".xz", ".bz2", ".zst")
    ):
        similarity = loaded.first(top).save(output, storage)
        common.note(f"{output}: {min(len(loaded), top or len(loaded)):,} words, mean cosine kept {similarity:.6f}.")
        return
    numbers = loaded.numbers[:top]
    if target == "fasttext":  # with its n-grams
        from ..vectors.exporting import write_fasttext

        write_fasttext(output, loaded, numbers)
        common.note(f"{output}: {len(numbers):,} words.")
        return
    layout = "text" if target == "auto" and output.suffix not in formats.ENDINGS else target
    written = formats.write(output, layout, loaded.vocabulary.words(numbers.tolist()), loaded.vectors[numbers])
    common.note(f"{', '.join(map(str, written))}: {len(numbers):,} words.")


@click.command()
@MODEL
@LAYOUT
@common.JSON
def info(model: Path, layout: str, as_json: bool) -> None:
    """What a model is: words, dimensions, settings, training text.

    \b
    textkit w2v info text.w2v
    """
    loaded = _load(model, layout)
    settings = loaded.config.settings() if loaded.config else {}
    kept = {k: v for k, v in loaded.report.items() if k != "history"}
    known = {"words": len(loaded), "dim": loaded.dim, "signature": loaded.signature, **kept}
    if as_json:
        common.print_json({**known, "config": settings, "history": loaded.report.get("history", [])})
        return
    rows = [[k, v if isinstance(v, int) else str(v)] for k, v in _flat([known, settings])]
    common.print_table(str(model), ["what", "value"], rows)


def _flat(parts: Iterable[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for part in parts:
        yield from ((k, v) for k, v in part.items() if v not in (None, [], {}))


USE = (similar, analogy, odd_one_out, distance, sentence, cluster, evaluate, compare, plot, export, info)
