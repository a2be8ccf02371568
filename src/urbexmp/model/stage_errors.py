"""What goes wrong with stages: something that they need is missing, or they break at work."""

from __future__ import annotations

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


class StagesMissing(StageMissing):
    """Several stages of the profile cannot run; one line each."""

    slug, code = "stages-missing", 64
    what = "{number} stages cannot run:\n{lines}"
    advice = "{advice}"


class ServerAway(StageFailed):
    """A server that a stage asks cannot be reached, or answers with an error."""

    slug, code = "server-away", 55
    what = "stage {stage}: {server} {detail}"
    advice = "{advice}"
