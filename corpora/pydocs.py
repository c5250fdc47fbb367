"""The documentation of the running Python's standard library, as text and as a labelled corpus.

Sources are parsed, never imported, so nothing runs and the order does not depend on the machine.
"""

import ast
import re
import sysconfig
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Not documentation of the library: its tests, vendored code, generated tables, other people's installs.
_LEFT_OUT = {
    "test", "tests", "idle_test", "idlelib", "lib2to3", "site-packages", "dist-packages", "pydoc_data", "__pycache__",
    "turtledemo", "ensurepip", "_vendor", "config", "antigravity.py", "this.py",
}  # fmt: skip

# Label → top-level modules of the family.
FAMILIES: dict[str, tuple[str, ...]] = {
    "async": ("asyncio", "concurrent", "multiprocessing", "threading", "queue", "sched", "selectors", "subprocess"),
    "network": ("email", "http", "urllib", "ftplib", "imaplib", "poplib", "smtplib", "socket", "socketserver", "ssl",
                "xmlrpc", "wsgiref", "ipaddress", "mailbox", "nntplib", "telnetlib", "mimetypes", "cgi", "webbrowser"),
    "markup": ("xml", "html", "json", "plistlib", "tomllib", "csv", "configparser"),
    "files": ("os", "posixpath", "ntpath", "pathlib", "shutil", "glob", "fnmatch", "tempfile", "io", "_pyio", "fileinput",
              "zipfile", "tarfile", "gzip", "bz2", "lzma", "filecmp", "genericpath", "stat", "shelve", "dbm", "sqlite3"),
    "text": ("string", "re", "textwrap", "difflib", "codecs", "encodings", "gettext", "locale", "stringprep", "shlex",
             "tokenize", "token", "quopri", "base64", "binhex", "uu", "pprint", "reprlib"),
    "numbers": ("decimal", "_pydecimal", "fractions", "random", "statistics", "numbers", "colorsys", "datetime",
                "_pydatetime", "calendar", "_strptime", "zoneinfo", "heapq", "bisect", "hashlib", "hmac", "secrets"),
    "testing": ("unittest", "doctest", "pdb", "bdb", "trace", "cProfile", "profile", "pstats", "timeit", "tracemalloc",
                "traceback", "logging", "warnings", "faulthandler", "cmd", "code", "codeop"),
    "language": ("ast", "inspect", "importlib", "types", "typing", "dis", "opcode", "symtable", "pickle", "pickletools",
                 "copy", "copyreg", "abc", "enum", "dataclasses", "functools", "contextlib", "weakref", "collections",
                 "_collections_abc", "operator", "pkgutil", "runpy", "zipimport", "linecache", "pyclbr", "pydoc"),
    "windows": ("tkinter", "turtle", "curses", "rlcompleter"),
    "building": ("argparse", "optparse", "getopt", "distutils", "sysconfig", "platform", "site", "venv", "zipapp",
                 "compileall", "py_compile", "modulefinder", "ctypes", "getpass", "signal", "uuid"),
}  # fmt: skip


def paragraphs() -> Iterator[str]:
    """All documentation, one paragraph a line, each different paragraph once."""
    seen: set[str] = set()
    for text in [*(doc for _, doc in _docstrings()), *_topics()]:
        for paragraph in prose_of(text):
            if paragraph not in seen:
                seen.add(paragraph)
                yield paragraph


def labelled() -> Iterator[str]:
    """`__label__FAMILY text` lines, one docstring each, for modules that belong to a family."""
    family_of = {module: label for label, modules in FAMILIES.items() for module in modules}
    seen: set[str] = set()
    for module, doc in _docstrings():
        text = " ".join(prose_of(doc))
        label = family_of.get(module.split(".")[0])
        if label and len(text.split()) >= 5 and text not in seen:
            seen.add(text)
            yield f"__label__{label} {text}"


@cache
def _docstrings() -> list[tuple[str, str]]:
    """(module, docstring) of every documented thing, by module and line."""
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for path in sorted(_sources(library)):
        module = ".".join(path.relative_to(library).with_suffix("").parts).removesuffix(".__init__")
        found += [(module, doc) for doc in _docstrings_in(path)]
    return found


def _sources(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.name in _LEFT_OUT or path.name.startswith(("config-", "_sysconfigdata", ".")):
            continue
        if path.is_dir() and (path / "__init__.py").exists():
            yield from _sources(path)
        elif path.suffix == ".py":
            yield path


def _docstrings_in(path: Path) -> Iterator[str]:
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
        return  # a file only this Python's own tests or tools can read
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if doc := ast.get_docstring(node):
                yield doc
            stack += reversed([child for child in node.body if isinstance(child, ast.stmt)])
        elif isinstance(node, ast.If | ast.Try | ast.With):
            stack += reversed([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)])


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
        joined = " ".join(" ".join(lines).split()).rstrip(":")
        clean = _ROLES.sub(lambda m: next((g for g in m.groups() if g is not None), ""), joined)
        if _is_prose(clean):
            yield clean


def _is_prose(text: str) -> bool:
    """Whether most of a paragraph is words, as in sentences and unlike code, grammars and tables."""
    words = text.split()
    plain = sum(word.strip(".,;:!?()'\"").replace("-", "").replace("'", "").isalpha() for word in words)
    return len(words) >= 4 and plain >= 0.7 * len(words)
