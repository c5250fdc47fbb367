"""`textkit demo`: the main job on text that is already here."""

import click


@click.command()
def demo() -> None:
    """Show."""
