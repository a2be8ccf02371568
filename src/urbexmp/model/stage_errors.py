"""What goes wrong with stages: something that they need is missing, or they break at work."""

from __future__ import annotations

from typing import Any

from urbexmp.model.errors import Problem


class StageMissing(Problem):
    """A stage of the profile cannot run: a package, weights or a server is missing."""

    slug, code = "stage-missing", 17
    what = "stage {stage} cannot run: {detail}"
    done = "Nothing was done"
    advice = "{advice}"


class WeightsMissing(StageMissing):
    """Weights of a model are not on this machine; `urbexmp models pull` brings them."""

    slug, code = "weights-missing", 50
    what = "stage {stage} needs {model} ({size}), and it is not here"
    advice = "Bring it with: urbexmp models pull {model}"


class WeightsDamaged(StageMissing):
    """A weight file is not the one that the registry names: its hash differs."""

    slug, code = "weights-damaged", 51
    what = "{file} is damaged or not the pinned version ({detail})"
    done = "It was not loaded"
    advice = "Bring it again with: urbexmp models pull --again {model}"


class WeightsUnpinned(StageMissing):
    """The registry names no commit or no hash for a model's files, so nothing may load them."""

    slug, code = "weights-unpinned", 56
    what = "the registry does not pin {model}: {detail}"
    done = "Nothing was loaded or downloaded"
    advice = (
        "`urbexmp models pull --pin {model}` downloads what the hub has now, shows its hashes and"
        " trusts them from then on"
    )


class WrongWeights(WeightsDamaged):
    """What arrived, or would arrive, is not the file that the registry names."""

    done = "{done}"
    advice = (
        "Try again later, or from another network; if it stays so, the hash of {model} in the"
        " registry is wrong, or somebody changed the file"
    )

    def __init__(self, subject: object, done: str = "It was deleted", **fields: Any) -> None:
        super().__init__(subject, done=done, **fields)


class PullFailed(Problem):
    """The hub cannot be reached, or stopped answering in the middle of a download."""

    slug, code = "pull-failed", 57
    what = "cannot be downloaded from {server} ({detail})"
    done = "What arrived is kept"
    advice = "{advice}"


class NotOnHub(Problem):
    """The hub has no such model, commit or file, or does not give it to you."""

    slug, code = "not-on-hub", 58
    what = "{server} {detail}"
    done = "Nothing was downloaded"
    advice = "{advice}"


class NoRoom(Problem):
    """The disk has too little room for a model."""

    slug, code = "no-room", 59
    what = "there is too little room on the disk ({detail})"
    done = "{done}"
    advice = "Free space, or choose another disk with HF_HOME, and run the command again"

    def __init__(self, subject: object, detail: str, done: str = "Nothing was downloaded") -> None:
        super().__init__(subject, detail=detail, done=done)


class ExtraMissing(StageMissing):
    """A Python package that a stage needs is not installed."""

    slug, code = "extra-missing", 52
    what = "stage {stage} needs the package {package}, and it is not installed"
    advice = "Install it with: pip install 'urbexmp[{extra}]'"


class StageFailed(Problem):
    """A stage broke while it looked at a photo: out of memory, a crash of its worker, a bug."""

    slug, code = "stage-failed", 53
    what = "stage {stage} failed: {detail}"
    done = "What the other stages said is kept, and nothing was written"
    advice = "It is tried again later; `urbexmp status` lists it"


class StageTimeout(StageFailed):
    """A stage took longer over one photo than its limit."""

    slug, code = "stage-timeout", 54
    what = "stage {stage} gave no answer within {seconds} s"


class StageStopped(StageFailed):
    """A look was broken off, because a person asked to stop. Nothing is wrong with the photo."""

    slug, code = "stage-stopped", 63
    what = "stage {stage} was stopped in the middle of a look"
    done = "Nothing was written"
    advice = "The next run looks at it again"


class BudgetSpent(StageStopped):
    """What a run may ask of a paid server is asked; the run ends, and the next one goes on."""

    slug, code = "budget-spent", 65
    what = "the budget of {budget} is spent ({spent})"
    done = "The run stopped here; what was said so far is kept"
    advice = "The next run goes on from here with a budget of its own"


class StagesMissing(StageMissing):
    """Several stages of the profile cannot run; one line each."""

    slug, code = "stages-missing", 64
    what = "{number} stages cannot run:\n{lines}"
    advice = "{advice}"

    def __str__(self) -> str:
        """The stages on lines of their own, so that no full stop runs into a command."""
        what, done, advice = self.sentences
        return f"{self.subject}: {what}\n{done}. {advice}."


class PreflightFailed(StageMissing):
    """`--preflight` found that a stage or a server is not as a run needs it."""

    slug, code = "preflight-failed", 66
    what = "{number} of what the run needs is not as it should be"
    done = "No photo was looked at"
    advice = "Do what is said above, or run it without --preflight"


class ServerAway(StageFailed):
    """A server that a stage asks cannot be reached, or answers with an error."""

    slug, code = "server-away", 55
    what = "stage {stage}: {server} {detail}"
    advice = "{advice}"
