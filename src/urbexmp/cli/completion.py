"""`urbexmp completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click

from urbexmp.cli.options import Choices, shared

HOW = {
    "bash": 'Add to ~/.bashrc:  eval "$(urbexmp completion bash)"',
    "zsh": 'Add to ~/.zshrc:  eval "$(urbexmp completion zsh)"',
    "fish": "Save it:  urbexmp completion fish > ~/.config/fish/completions/urbexmp.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(HOW)))
@shared()
def completion(choices: Choices, shell: str) -> int:
    """Print the completion script for your shell.

    \b
    bash: eval "$(urbexmp completion bash)" in ~/.bashrc
    zsh:  eval "$(urbexmp completion zsh)" in ~/.zshrc
    fish: urbexmp completion fish > ~/.config/fish/completions/urbexmp.fish
    """
    from click.shell_completion import get_completion_class

    from urbexmp.cli.main import cli
    from urbexmp.cli.start import COMPLETE_VARIABLE

    made = get_completion_class(shell)
    assert made is not None
    print(f"# {HOW[shell]}")
    # `source()` of bash would first start a bash to ask its version; the text is the same.
    completer = made(cli, {}, "urbexmp", COMPLETE_VARIABLE)
    print(completer.source_template % completer.source_vars())
    return 0
