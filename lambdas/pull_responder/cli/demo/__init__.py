"""`pull-responder demo`."""

import click


@click.command()
def demo() -> None:
    """Show the whole way on an emulated AWS."""
