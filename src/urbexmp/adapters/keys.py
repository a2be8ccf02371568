"""Keys of servers: from the environment, else from the system's keyring. Never from a file of ours.

A key is kept in the keyring under the service `urbexmp` and the server's host and port:

    keyring set urbexmp api.openai.com
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

SERVICE = "urbexmp"


def key_for(server: str, variable: str, environ: Mapping[str, str], *, ask_keyring: bool) -> str:
    """The key of a server; "" where there is none. A keyring that cannot be asked has none."""
    key = environ.get(variable, "").strip()
    if key or not ask_keyring or importlib.util.find_spec("keyring") is None:
        return key
    import keyring

    try:
        return (keyring.get_password(SERVICE, server) or "").strip()
    except Exception:
        return ""  # each system's keyring fails in its own way, also because nobody is logged in
