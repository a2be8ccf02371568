"""A word on the desktop when an import is done. It may fail, and nothing else does then."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from urbexmp.rules.render import counted, printable

TITLE = "urbexmp"
PATIENCE = 10
"""Seconds; a desktop that does not answer is left alone."""

_APPLESCRIPT = (
    "on run argv\n display notification (item 2 of argv) with title (item 1 of argv)\nend run"
)

_TOAST = """
$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager,Windows.UI.Notifications,ContentType=WindowsRuntime]
$kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind)
$texts = $toast.GetElementsByTagName('text')
[void]$texts.Item(0).AppendChild($toast.CreateTextNode($env:URBEXMP_TOAST_TITLE))
[void]$texts.Item(1).AppendChild($toast.CreateTextNode($env:URBEXMP_TOAST_TEXT))
$id = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
$shown = New-Object Windows.UI.Notifications.ToastNotification $toast
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($id).Show($shown)
""".strip()
"""A toast needs the id of an installed program; PowerShell's own is always there. The words come
by the environment, so that no file name is ever read as a script."""


class DesktopNotifier:
    """Implements `background.Notifier` by the programs of each desktop.

    `trouble` is told in a sentence when a word could not be shown.
    """

    def __init__(self, trouble: Callable[[str], None], platform: str = sys.platform) -> None:
        self._trouble = trouble
        self._platform = platform

    def imported(self, photos: int, folder: Path, next_step: str) -> None:
        """Say that an import is done, and what to do next."""
        text = f"{counted(photos, 'photo')} in {printable(folder.name or str(folder))}"
        say = f"{text} done. {next_step}".rstrip()
        command = desktop_command(self._platform, TITLE, say)
        if command is None:
            self._trouble("no program to notify with (notify-send, gdbus) is installed")
            return
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                env=_environment(say) if self._platform == "win32" else None,
                check=False,
            )
        except (OSError, subprocess.SubprocessError, ValueError) as failure:
            self._trouble(f"the desktop could not be notified ({failure})")
            return
        if ran.returncode:
            said = ran.stderr.decode("utf-8", "replace").strip().split("\n")[0]
            self._trouble(f"the desktop could not be notified ({command[0]}: {said})")


class SilentNotifier:
    """Implements `background.Notifier` where nobody asked for it."""

    def imported(self, photos: int, folder: Path, next_step: str) -> None:
        """Say nothing."""


def desktop_command(
    platform: str, title: str, text: str, which: Callable[[str], str | None] = shutil.which
) -> Sequence[str] | None:
    """The command that shows a word on a desktop; None where there is none."""
    if platform == "darwin":
        return ["/usr/bin/osascript", "-e", _APPLESCRIPT, title, text]
    if platform == "win32":
        return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _TOAST]
    # Bodies may hold markup (Desktop Notifications Specification): a name is no markup.
    body = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if program := which("notify-send"):
        return [program, f"--app-name={title}", "--", title, body]
    if program := which("gdbus"):
        return [
            *(program, "call", "--session", "--dest=org.freedesktop.Notifications"),
            "--object-path=/org/freedesktop/Notifications",
            "--method=org.freedesktop.Notifications.Notify",
            *("--", _text(title), "uint32 0", _text(""), _text(title), _text(body)),
            *("@as []", "@a{sv} {}", "int32 -1"),
        ]
    return None


def _text(text: str) -> str:
    """As GVariant text has a string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _environment(text: str) -> dict[str, str]:
    import os

    return {**os.environ, "URBEXMP_TOAST_TITLE": TITLE, "URBEXMP_TOAST_TEXT": text}
