"""How labelled text is written: which format, which columns."""

from dataclasses import dataclass

from ..errors import UsageError

FORMATS = ("auto", "labels", "csv", "tsv", "jsonl", "folders")
PREFIX = "__label__"


@dataclass(frozen=True)
class InputForm:
    """How labelled text is written.

    Args:
        format: "labels" (lines with labels in them), "csv", "tsv", "jsonl" or "folders" (one for each label, a file is
            a document); "auto" goes by names: endings, and directories that hold directories.
        text, label, weight: columns or JSON keys ("a.b" for nested ones); several texts, with commas between, are
            joined. Numbers count the columns of a table without a header. A label in JSON may be a list.
        prefix: what labels in lines begin with.
        separator: between the labels of one column, where there can be several.
        encoding, errors: see `Reader`.

    Raises:
        UsageError: a format that is none, or a prefix that is empty or has white space in it.
    """

    format: str = "auto"
    text: str = "text"
    label: str = "label"
    weight: str | None = None
    prefix: str = PREFIX
    separator: str | None = None
    encoding: str = "utf-8"
    errors: str = "strict"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"unknown format '{self.format}'.", f"Choose one of {', '.join(FORMATS)}.")
        if not self.prefix or self.prefix.split() != [self.prefix]:
            raise UsageError(f"'{self.prefix}' cannot begin a label.", f"Give one word, such as {PREFIX}.")

    @property
    def reader_format(self) -> str:
        """What a `Reader` calls the format."""
        return "lines" if self.format == "labels" else self.format

    @property
    def columns(self) -> list[str]:
        """The columns that are asked for."""
        return [self.text, self.label, *([self.weight] if self.weight else [])]
