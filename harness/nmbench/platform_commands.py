"""``nmbench platforms``: what there is, and the card of one with all its constants."""

from __future__ import annotations

from typing import Annotated

import typer

from nmbench.arguments import Plugins

app = typer.Typer(no_args_is_help=True, help="List platforms; show a platform's card of constants.")


@app.command("list")
def list_(plugin: Plugins = []) -> None:
    """List the platforms, those that run by default first."""
    from nmbench.report import listing

    listing.show("platforms", plugin)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A platform, another name of one, or a card file (.yaml).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    plugin: Plugins = [],
) -> None:
    """Show a card: every constant with value, interval, kind, conditions, source and evidence."""
    import json

    from nmbench.registry import card_of
    from nmbench.report.cardsheet import CardSheet
    from nmbench.report.tables import terminal

    card = card_of(name, plugin)
    if as_json:
        content = {**card.model_dump(mode="json"), "sha256": card.sha256}
        print(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False))
    else:
        terminal().print(CardSheet(card))
