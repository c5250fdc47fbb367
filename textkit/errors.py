"""The few kinds of failure a user can meet. The library raises them, the command line shows them.

A message says what was seen (file, line, value) and the probable cause; `hint` says what to try.
"""


class TextkitError(Exception):
    """Base of every error textkit raises on purpose.

    Args:
        message: what was seen and why it is a problem, in one line.
        hint: what to try, in one line; empty if there is nothing to add.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(TextkitError):
    """The call itself is wrong: an impossible option value, an unknown name (exit code 2)."""

    exit_code = 2


class DataError(TextkitError):
    """The input cannot be used: unreadable, malformed, empty, truncated (exit code 1)."""


class MissingExtraError(TextkitError):
    """A library that only some need is not installed.

    Args:
        package: what could not be imported.
        extra: the textkit extra that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package '{package}', which is not installed.",
            f"Install it with: pip install 'textkit[{extra}]'",
        )
