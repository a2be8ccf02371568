"""Whether Lightroom has the catalog open, told by the files it keeps beside it."""

from __future__ import annotations

from pathlib import Path

from urbexmp.model.profile import Profile


def open_catalog(profile: Profile) -> Path | None:
    """The file that shows that the profile's catalog is open; None: closed, or none is named.

    Lightroom Classic keeps `NAME.lrcat.lock` and SQLite's `-wal` there while it runs.
    """
    if not profile.catalog:
        return None
    catalog = Path(profile.catalog)
    for sign in (".lock", "-wal"):
        beside = catalog.with_name(catalog.name + sign)
        if beside.exists():
            return beside
    return None


def open_catalog_note(profile: Profile) -> str | None:
    """What to tell a person while the catalog is open."""
    sign = open_catalog(profile)
    if sign is None:
        return None
    return (
        f"Lightroom seems to have {Path(profile.catalog).name} open ({sign.name} is there)."
        " What is not saved there (Metadata > Save Metadata to Files) is not seen here, and what"
        " it saves before reading again may put older keywords back."
    )
