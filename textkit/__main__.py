"""`python -m textkit`: the same program as the `textkit` command."""

from .cli.main import run

if __name__ == "__main__":
    run()
