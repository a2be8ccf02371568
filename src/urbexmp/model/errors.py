"""Everything that can go wrong, as classes with a number, and all the prose in one place.

A problem prints as three short sentences: what is wrong, what was done about it, what the
person can do. The numbers are the exit codes when nothing at all could be done; they never
change their meaning.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818  (the house's word; it is not always an error)
    """Something a person must know about. `subject` is mostly a file."""

    slug: ClassVar[str] = "problem"
    """Machine-readable reason, stable."""
    code: ClassVar[int] = 10
    """Exit code when nothing could be done."""
    what: ClassVar[str] = "{detail}"
    done: ClassVar[str] = "Left as it is"
    advice: ClassVar[str] = ""

    def __init__(self, subject: object, **fields: Any) -> None:
        self.subject = str(subject)
        self.fields = {"detail": "", **fields}
        super().__init__(self.subject, fields)

    @property
    def sentences(self) -> tuple[str, str, str]:
        """What is wrong, what was done, what to do (may be empty), without final full stops."""
        what, done, advice = (
            text.format_map(self.fields).rstrip(".") for text in (self.what, self.done, self.advice)
        )
        return what, done, advice

    def __str__(self) -> str:
        what, done, advice = self.sentences
        told = (f"{self.subject}: {what}", done, advice)
        return " ".join(each if each.endswith("?") else f"{each}." for each in told if each)


# --- Usage and configuration: exit code 2 -------------------------------------------------


class ConfigProblem(Problem):
    """A configuration file, an environment variable or a flag is wrong; lists every mistake."""

    slug, code = "config", 2
    what = "{count} mistake(s):\n{mistakes}"
    done = "Nothing was done"
    advice = "Correct the lines above and run the command again"

    def __init__(self, subject: object, mistakes: tuple[str, ...]) -> None:
        self.mistakes = mistakes
        listed = "\n".join(f"  {mistake}" for mistake in mistakes)
        super().__init__(subject, count=len(mistakes), mistakes=listed)

    def __str__(self) -> str:
        """The mistakes on lines of their own, so that no full stop runs into the last one."""
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        return f"{self.subject}: {count}:\n{self.fields['mistakes']}\n{self.done}. {self.advice}."


class UsageProblem(Problem):
    """A command was used in a way that makes no sense."""

    slug, code = "usage", 2
    done = "Nothing was done"
    advice = "{advice}"

    def __init__(self, subject: object, detail: str, advice: str = "") -> None:
        super().__init__(subject, detail=detail, advice=advice)


# --- The library as a whole: 10-19 ----------------------------------------------------------


class LibraryGone(Problem):
    """The root folder is missing, unreadable, or empty although photos are known in it."""

    slug, code = "library-gone", 11
    what = "{detail}"
    done = "Nothing was done, and nothing was taken for deleted"
    advice = "Mount the volume or correct the path, and run the command again"


class LibraryLocked(Problem):
    """Another urbexmp writes to this library."""

    slug, code = "library-locked", 12
    what = "another urbexmp (process {pid}) is writing to this library"
    done = "Nothing was done"
    advice = "Wait for it, or stop it"


class LibraryWatched(Problem):
    """A watch runs on this library already."""

    slug, code = "library-watched", 62
    what = "another `urbexmp watch` (process {pid}) watches this library"
    done = "Nothing was done"
    advice = "Let it go on, or stop it with `kill {pid}` and start this one again"


class LedgerDamaged(Problem):
    """SQLite cannot read the ledger."""

    slug, code = "ledger-damaged", 13
    what = "the ledger is damaged ({detail})"
    done = "Nothing was written"
    advice = (
        "Move the file away and run the command again: what was ours and what was refused is"
        " read back from the packets"
    )


class LedgerNewer(Problem):
    """The ledger was written by a newer urbexmp."""

    slug, code = "ledger-newer", 14
    what = "the ledger has version {found}, this urbexmp knows up to {known}"
    done = "Nothing was written"
    advice = "Install the newer urbexmp again"


class MirrorDamaged(Problem):
    """SQLite cannot read the mirror."""

    slug, code = "mirror-damaged", 18
    what = "the mirror is damaged ({detail})"
    done = "Photos, packets and the ledger are not touched by this"
    advice = "Run `urbexmp mirror rebuild`: it is built again from the packets"


class MirrorAbsent(Problem):
    """There is no mirror to ask, or one that another version of urbexmp made."""

    slug, code = "mirror-absent", 19
    what = "{detail}"
    done = "Nothing was asked"
    advice = "Run `urbexmp mirror rebuild`: it is built from the packets"

    def __init__(self, subject: object, detail: str = "there is no mirror yet") -> None:
        super().__init__(subject, detail=detail)


class StateUnwritable(Problem):
    """The state directory cannot be written."""

    slug, code = "state-unwritable", 15
    what = "the state directory cannot be written ({detail})"
    done = "Nothing was done"
    advice = "Free space or correct its permissions, or choose another with --state"


class ManyEmptied(Problem):
    """More than a tenth of the library lost all keywords since the last run."""

    slug, code = "many-emptied", 16
    what = "{emptied} of {total} photos lost all their keywords since the last run"
    done = "Nothing was written and nothing was taken for refused"
    advice = "If that was meant, say so: urbexmp sync --accept-emptied"


class ReportUnwritable(Problem):
    """The report that `--report` asks for cannot be written; the run itself goes on."""

    slug, code = "report-unwritable", 61
    what = "the report cannot be written ({detail})"
    done = "The run went on without it, and nothing of it was left behind"
    advice = "Free space or correct the permissions, or name another folder"


class InternalProblem(Problem):
    """Our own mistake."""

    slug, code = "internal", 70
    what = "INTERNAL ERROR: {detail}"
    done = "Nothing was written"
    advice = "Please report it with the log that `urbexmp doctor` names"


class Crashed(InternalProblem):
    """Our own mistake in the middle of a command; the details are in the log."""

    done = "Every photo is either finished or untouched"
    advice = "Please report it, with the end of {log}"

    def __init__(self, subject: object, detail: str, log: object) -> None:
        super().__init__(subject, detail=detail, log=log)


# --- One photo file: 20-29 --------------------------------------------------------------------


class FileUnreadable(Problem):
    """The operating system would not give us the file."""

    slug, code = "unreadable", 20
    what = "cannot be read ({detail})"
    done = "Skipped"
    advice = "Check its permissions and the volume it is on"


class FileVanished(Problem):
    """The file was there and is gone."""

    slug, code = "vanished", 21
    what = "is gone since the folder was listed"
    done = "Skipped"
    advice = "Run the command again"


class NotAPhoto(Problem):
    """Extension and content disagree."""

    slug, code = "not-a-photo", 22
    what = "is named {extension} but its content is {found}"
    done = "Skipped"
    advice = "Give it the right extension, or copy it again from the card"


class Undecodable(Problem):
    """No picture can be got out of the file."""

    slug, code = "undecodable", 23
    what = "cannot be decoded ({detail})"
    done = "Skipped"
    advice = "{advice}"

    def __init__(
        self, subject: object, detail: str, advice: str = "Copy it again from the card"
    ) -> None:
        super().__init__(subject, detail=detail, advice=advice)


class NotWhole(Problem):
    """A file that stopped changing before it was complete."""

    slug, code = "not-whole", 26
    what = "is not complete, and has not changed for a while"
    done = "Left alone, and looked at again later"
    advice = "Copy it again if the copy broke off"


class StillChanging(Problem):
    """A file that has been changing for so long that a watch no longer waits for it closely."""

    slug, code = "still-changing", 27
    what = "has not been complete for {seconds} s and still changes"
    done = "Left alone until it is complete, and looked at less and less often"
    advice = "If nothing copies it, see what writes into it"


# --- One packet: 30-49 ------------------------------------------------------------------------


class PacketRefused(Problem):
    """A packet that cannot be edited without a risk to something in it."""

    slug, code = "packet-refused", 30
    what = "cannot be edited safely ({detail})"
    advice = "{advice}"

    def __init__(self, subject: object, detail: str, reason: str, advice: str = "") -> None:
        """`reason` is a stable word for this kind of refusal: `doctype`, `two-properties`, ..."""
        self.reason = reason
        super().__init__(
            subject,
            detail=detail,
            advice=advice or "Open it in Lightroom and save its metadata, or repair it by hand",
        )


class TwoCandidates(Problem):
    """Two files could be the photo's sidecar."""

    slug, code = "two-sidecars", 31
    what = "two files could be its sidecar: {first} and {second}"
    advice = "Keep the one that Lightroom reads and move the other away"


class SidecarOfAnother(Problem):
    """The only sidecar belongs to another raw file of the same basename."""

    slug, code = "sidecar-of-another", 32
    what = "{sidecar} belongs to {owner}"
    advice = "Give the two photos different names"


class CarrierMoved(Problem):
    """The packet is not the one that the change was planned for."""

    slug, code = "moved-on", 33
    what = "changed on disk after the plan was made (Lightroom?)"
    advice = "Run `urbexmp sync` again"


class PlanStale(Problem):
    """A person decided something about this photo since the plan was made."""

    slug, code = "plan-stale", 34
    what = "was decided about by a person after the plan was made"
    advice = "Make a new plan"


class ProofFailed(Problem):
    """The edited packet is not what was asked for: our own mistake, caught in time."""

    slug, code = "proof-failed", 35
    what = "INTERNAL ERROR: the edited packet would differ in more than the keywords ({detail})"
    advice = "Please report it, with the sidecar if you can"


class WriteFailed(Problem):
    """The operating system refused the write."""

    slug, code = "write-failed", 36
    what = "cannot be written ({detail})"
    advice = "{advice}"

    def __init__(
        self, subject: object, detail: str, advice: str = "Check permissions and free space"
    ) -> None:
        super().__init__(subject, detail=detail, advice=advice)


class HardLinked(Problem):
    """The sidecar has other names; replacing it would part them."""

    slug, code = "hard-linked", 37
    what = "has {links} names on this disk (hard links), and replacing it would part them"
    advice = "Break the link by copying the file, then run again"


class BackupMissing(Problem):
    """The bytes to put back are not among the backups."""

    slug, code = "backup-missing", 38
    what = "the bytes to put back ({digest}) are not among the backups, or are damaged"
    advice = "`urbexmp keyword remove` takes single keywords out"


# --- Finding photos and their sidecars: found by the walk and by pairing ----------------------


class LinkLoop(Problem):
    """A symbolic link that leads back to a folder above it, or to itself."""

    slug, code = "link-loop", 24
    what = "is a link that leads back to {target}"
    done = "Not followed"
    advice = "Remove the link, or leave it out with `ignore` in the profile"


class NameNotText(Problem):
    """A file or folder name that is not UTF-8: no ledger, plan or message could hold it."""

    slug, code = "name-not-text", 25
    what = "has a name that is not UTF-8"
    done = "Skipped"
    advice = "Rename it, and run the command again"


class SidecarUnclear(Problem):
    """One sidecar name, several raw files it could belong to (XMP.md R27)."""

    slug, code = "sidecar-unclear", 39
    what = "{sidecar} could belong to {owners}"
    advice = 'Give the photos different names, or set `sidecar_name = "darktable"` in the profile'


class DngSidecar(Problem):
    """A DNG with a sidecar of its own, which Lightroom reads while it is the newer (R30)."""

    slug, code = "dng-sidecar", 40
    what = "{sidecar} was written for this DNG, and Lightroom reads whichever is newer"
    advice = "Read its metadata in Lightroom, save it into the DNG, and move the sidecar away"


class Unrecorded(Problem):
    """The carrier was written, and then the ledger could not take the receipt."""

    slug, code = "unrecorded", 41
    what = "was written, but the ledger could not take the receipt ({detail})"
    done = "The next run adds it from the intent"
    advice = "Free space or correct the permissions of the state directory"
