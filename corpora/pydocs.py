"""The documentation of the running Python's standard library, as text and as a labelled corpus.

Sources are read and never imported, so nothing of them runs. Modules written in C have no source: the harmless ones
among them are imported and asked. The order of everything is fixed.
"""

import importlib
import inspect
import random
import re
import sysconfig
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .docstrings import docstrings_in

# Not documentation of the library: its tests, demonstrations, generated tables, other people's installs.
_LEFT_OUT = {
    "test", "tests", "idle_test", "lib2to3", "site-packages", "dist-packages", "pydoc_data", "__pycache__",
    "turtledemo", "ensurepip", "_vendor", "config", "antigravity.py", "this.py", "__phello__",
}  # fmt: skip

# Label → top-level modules of the family.
FAMILIES: dict[str, tuple[str, ...]] = {
    "asyncio": ("asyncio", "asyncore", "asynchat", "_asyncio", "selectors", "contextvars"),
    "concurrency": ("multiprocessing", "threading", "concurrent", "subprocess", "queue", "sched", "signal", "_queue",
                    "_thread", "_threading_local", "_posixsubprocess", "_multiprocessing", "_signal"),
    "mail": ("email", "mailbox", "smtplib", "imaplib", "poplib", "nntplib", "mimetypes", "mailcap", "smtpd", "netrc"),
    "network": ("http", "urllib", "socket", "ssl", "socketserver", "ftplib", "xmlrpc", "wsgiref", "ipaddress",
                "telnetlib", "cgi", "cgitb", "webbrowser", "_socket", "_ssl", "select"),
    "formats": ("xml", "html", "json", "plistlib", "tomllib", "csv", "configparser", "sqlite3", "pickle", "pickletools",
                "marshal", "shelve", "dbm", "_csv", "_json", "_pickle", "_sqlite3", "_elementtree", "pyexpat", "wave"),
    "files": ("os", "posixpath", "ntpath", "pathlib", "shutil", "glob", "fnmatch", "tempfile", "io", "_pyio", "_io",
              "fileinput", "zipfile", "tarfile", "gzip", "bz2", "lzma", "filecmp", "genericpath", "stat", "posix",
              "_bz2", "_lzma", "_compression", "zlib", "mmap", "_stat", "linecache", "compression"),
    "text": ("string", "re", "textwrap", "difflib", "codecs", "encodings", "gettext", "locale", "stringprep", "shlex",
             "quopri", "base64", "pprint", "reprlib", "unicodedata", "_codecs", "_sre", "_string", "binascii"),
    "numbers": ("decimal", "_pydecimal", "fractions", "random", "statistics", "numbers", "colorsys", "datetime",
                "_pydatetime", "calendar", "_strptime", "zoneinfo", "hashlib", "hmac", "secrets", "math", "cmath",
                "_datetime", "_decimal", "_random", "time", "_statistics", "_zoneinfo", "_hashlib", "uuid"),
    "testing": ("unittest", "doctest", "pdb", "bdb", "trace", "cProfile", "profile", "pstats", "timeit",
                "tracemalloc", "_tracemalloc"),
    "messages": ("logging", "warnings", "traceback", "cmd", "code", "codeop", "argparse", "optparse", "getopt",
                 "getpass", "faulthandler", "_warnings", "syslog"),
    "collections": ("collections", "_collections_abc", "_collections", "enum", "dataclasses", "abc", "_py_abc", "types",
                    "typing", "copy", "copyreg", "weakref", "_weakrefset", "operator", "_operator", "functools",
                    "_functools", "contextlib", "heapq", "_heapq", "bisect", "_bisect", "graphlib", "itertools",
                    "array", "builtins", "_weakref"),
    "inspection": ("inspect", "ast", "dis", "opcode", "_opcode_metadata", "symtable", "tokenize", "token", "pydoc",
                   "pyclbr", "tabnanny", "rlcompleter", "sys", "gc", "annotationlib", "_symtable", "_pyrepl"),
    "imports": ("importlib", "pkgutil", "runpy", "zipimport", "modulefinder", "imp", "site", "sysconfig", "venv",
                "zipapp", "compileall", "py_compile", "platform", "ctypes", "distutils", "_ctypes"),
    "windows": ("tkinter", "turtle", "curses", "_curses"),
    "editor": ("idlelib",),
}  # fmt: skip

# Modules in C that importing does nothing but define; those that this Python lacks are passed over.
_COMPILED = (
    "_asyncio", "_bisect", "_bz2", "_codecs", "_collections", "_csv", "_ctypes", "_curses", "_datetime", "_decimal",
    "_elementtree", "_functools", "_hashlib", "_heapq", "_io", "_json", "_lzma", "_multiprocessing", "_operator",
    "_pickle", "_queue", "_random", "_signal", "_socket", "_sqlite3", "_sre", "_ssl", "_stat", "_statistics", "_string",
    "_symtable", "_thread", "_tracemalloc", "_warnings", "_weakref", "_zoneinfo", "array", "binascii", "builtins",
    "cmath", "errno", "gc", "itertools", "marshal", "math", "mmap", "posix", "pyexpat", "select", "sys", "time",
    "unicodedata", "zlib",
)  # fmt: skip


def paragraphs() -> Iterator[str]:
    """All documentation, one paragraph a line, each different paragraph once."""
    seen: set[str] = set()
    for text in [*(doc for _, doc in _documentation()), *_topics()]:
        for paragraph in prose_of(text):
            if paragraph not in seen:
                seen.add(paragraph)
                yield paragraph


def labelled(seed: int = 0) -> list[str]:
    """`__label__FAMILY text` lines, one docstring each, for modules that belong to a family.

    Shuffled by `seed`: in the order of the files each label would stand in one block, which no trainer likes.
    """
    family_of = {module: label for label, modules in FAMILIES.items() for module in modules}
    label_of: dict[str, str] = {}
    for module, doc in _documentation():
        text = " ".join(prose_of(doc))
        if module in family_of and len(text.split()) >= 5:
            label_of.setdefault(text, family_of[module])
    draw = random.Random(seed).random  # the one method whose results no version of Python changes
    return sorted((f"__label__{label} {text}" for text, label in label_of.items()), key=lambda _: draw())


@cache
def _documentation() -> list[tuple[str, str]]:
    """(top-level module, docstring) of every documented thing, by file and line."""
    library = Path(sysconfig.get_path("stdlib"))
    written = [
        (path.relative_to(library).parts[0].removesuffix(".py"), doc)
        for path in sorted(_sources(library))
        for doc in docstrings_in(path)
    ]
    return written + [(name, doc) for name in _COMPILED for doc in _compiled(name)]


def _sources(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.name in _LEFT_OUT or path.name.startswith(("config-", "_sysconfigdata", ".")):
            continue
        if path.suffix == ".py":
            yield path
        elif (path / "__init__.py").exists():
            yield from _sources(path)


def _compiled(name: str) -> Iterator[str]:
    """The docstrings of a module in C, of what it defines, and of the methods of its classes."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return
    for thing in (module, *_members(module)):
        for documented in (thing, *(_members(thing) if isinstance(thing, type) else ())):
            if isinstance(doc := getattr(documented, "__doc__", None), str):
                yield inspect.cleandoc(doc)


def _members(owner: object) -> list[object]:
    """Functions, classes and their methods; not data, whose docstring is that of its type."""
    own = sorted(vars(owner).items())
    return [member for _, member in own if callable(member) or inspect.isdatadescriptor(member)]


def _topics() -> list[str]:
    """The language reference as `help('topics')` shows it; some systems install Python without it."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        return []
    return [topics[name] for name in sorted(topics)]


_MARKUP = re.compile(r"^\s*(?:>>>|\.\.\.|\.\. |:\w|@|[-=~^*+#|]{3,}|\$ |\w+:: )|[│┌└]")
_ROLES = re.compile(r":\w+:`~?([^`<]*)(?:<[^>]*>)?`|``([^`]*)``|`([^`]*)`_*|\*\*([^*]+)\*\*|(?<!\w)\*([^*\s]+)\*")


def prose_of(text: str) -> Iterator[str]:
    """The paragraphs of a documentation text that are prose, each unwrapped into one line without markup."""
    for block in re.split(r"\n\s*\n", textwrap.dedent(text)):
        lines = block.splitlines()
        if not lines or any(_MARKUP.search(line) for line in lines):
            continue
        joined = " ".join(block.split()).rstrip(":")
        clean = _ROLES.sub(lambda m: next((g for g in m.groups() if g is not None), ""), joined).strip()
        if _is_prose(clean):
            yield clean


def _is_prose(text: str) -> bool:
    """Whether most of a paragraph is words, as in sentences and unlike code, grammars and tables."""
    words = text.split()
    plain = sum(word.strip(".,;:!?()'\"").replace("-", "").replace("'", "").isalpha() for word in words)
    return len(words) >= 4 and plain >= 0.7 * len(words) and text.isprintable()
