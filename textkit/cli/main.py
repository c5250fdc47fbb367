"""The `textkit` command: the groups of commands, and how every failure ends."""

import os
import signal
import sys
import threading
from typing import Any

import click

from .. import __version__
from ..errors import TextkitError
from . import (  # noqa: F401 - they add their commands
    classify_calibrate,
    classify_data,
    classify_look,
    classify_report,
    classify_smaller,
    classify_train,
    classify_tune,
    ngram_compare,
    ngram_counts,
    ngram_look,
    ngram_models,
    ngram_use,
)
from .classify_common import classify
from .corpus import corpus
from .demo import demo
from .ngram import ngram
from .w2v import w2v


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="textkit")
def textkit() -> None:
    """Model text on ordinary CPUs: corpora, n-gram language models, word vectors.

    Text is read from files, directories, globs or standard input (-), plain or compressed; as lines, JSONL, CSV or
    TSV. Results go to standard output, progress and messages to standard error.

    \b
    Try it on text that is already here:
        textkit demo
    """


for command in (classify, corpus, demo, ngram, w2v):
    textkit.add_command(command)


def run(args: list[str] | None = None) -> None:
    """Run the program and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    _lose_no_interrupt()
    try:
        if "_TEXTKIT_COMPLETE" in os.environ:  # the shell asks for completions
            textkit.main(args)
        # Not textkit.main(): it would end a closed pipe with exit code 1.
        with textkit.make_context("textkit", list(sys.argv[1:] if args is None else args)) as context:
            textkit.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        _fail("interrupted.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BaseException as error:
        _end(error)


def _lose_no_interrupt() -> None:
    """Raise Ctrl-C again a moment later if it struck where exceptions are dropped: in a destructor or a callback."""
    others = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            others(dropped)

    sys.unraisablehook = hook


def _end(error: BaseException) -> None:
    if isinstance(error, SystemExit):
        raise error
    if os.environ.get("TEXTKIT_DEBUG"):
        raise error
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    if isinstance(error, KeyboardInterrupt):
        _fail("interrupted.", 130)
    if isinstance(error, TextkitError):
        _fail(error.message, error.exit_code, error.hint)
    if isinstance(error, MemoryError):
        _fail("there is not enough memory for this.", 1, "Try a smaller input, a lower --order or fewer --threads.")
    if isinstance(error, OSError):
        _fail(f"{error.filename or 'input or output'}: {error.strerror or error}.", 1)
    _fail(
        f"unexpected {type(error).__name__}: {error}.", 1, "This is a bug; run again with TEXTKIT_DEBUG=1 for details."
    )


def _fail(message: str, code: int, hint: str = "") -> Any:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(" ".join(part for part in (message, hint) if part), err=True)
    sys.exit(code)
