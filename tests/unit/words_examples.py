"""Small vocabularies and looks for the tests of words."""

from __future__ import annotations

import functools
from pathlib import Path

import urbexmp
from urbexmp.adapters.shipped import shipped
from urbexmp.adapters.toml import parse_toml, read_toml
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.rules.taxonomy import Taxonomy, load_taxonomy

CHECKOUT = Path(urbexmp.__file__).parent.parent.parent

SMALL = """
[[term]]
path = "Urbex"

[[term]]
path = "Urbex|Building"
export = false
place_decides = true

[[term]]
path = "Urbex|Building|Hospital"
synonyms = ["infirmary", "hôpital", "Krankenhaus"]
labels = ["clinic"]
place = ["state hospital", "hôpital *", "*krankenhaus"]

[[term]]
path = "Urbex|Building|Prison"
place = []

[[term]]
path = "Urbex|Building|Café"
synonyms = ["coffee shop"]
place = ["cafe"]

[[term]]
path = "Urbex|Room"
export = false
not_in_view = ["aerial"]

[[term]]
path = "Urbex|Room|Corridor"
synonyms = ["hallway"]

[[term]]
path = "Urbex|Room|Ward"
implies = ["Urbex|Building|Hospital"]

[[term]]
path = "Urbex|Room|Courtyard"
not_in_view = []

[[term]]
path = "Urbex|Object"
export = false

[[term]]
path = "Urbex|Object|Bench"

[[term]]
path = "Urbex|Object|Shelf"

[[term]]
path = "Urbex|Object|Glass"

[[term]]
path = "Urbex|Object|Bars"

[[term]]
path = "Urbex|Decay"
condition = 20

[[term]]
path = "Urbex|Decay|Peeling Paint"
labels = ["peel"]
condition = 10
thresholds = { ram = 0.6 }

[[term]]
path = "Urbex|Decay|Collapse"
condition = 50

[[term]]
path = "Urbex|Wood"

[[term]]
path = "Urbex|Era"
export = false

[[term]]
path = "Urbex|Era|Victorian"
era = "Victorian"

[[term]]
path = "Urbex|Era|1970s"
era = "1970s"

[[term]]
path = "Urbex|View"
export = false

[[term]]
path = "Urbex|View|Interior"
labels = ["indoor"]
exclusive = "view"

[[term]]
path = "Urbex|View|Exterior"
labels = ["outdoor"]
exclusive = "view"

[[term]]
path = "Urbex|View|Aerial"
exclusive = "view"

[[term]]
path = "Urbex|View|Aerial|Straight Down"

[[term]]
path = "Urbex|View|Detail"
exclusive = "view"

[[term]]
path = "Urbex|Technique"
export = false

[[term]]
path = "Urbex|Technique|Long Exposure"

[[ambiguous]]
word = "bar"
means = [
  { term = "Urbex|Building|Café", with = ["Urbex|Building|Café", "Urbex|Object|Bench"] },
  { term = "Urbex|Object|Bars", with = ["Urbex|Building|Prison"] },
]

[plurals]
shelf = "shelves"
glass = "glass"

[qualifiers]
wooden = "Urbex|Wood"
old = ""

[guards]
people = ["person", "man"]
camera = ["photo", "nikon"]
ignored = ["area"]
"""


def taxonomy(text: str = SMALL) -> Taxonomy:
    """Load a vocabulary from text."""
    document = parse_toml(text, Path("small.toml"))
    return load_taxonomy(document.values, document.line_of, document.path)


@functools.cache
def small() -> Taxonomy:
    """The small vocabulary above."""
    return taxonomy()


@functools.cache
def urbex() -> Taxonomy:
    """The vocabulary that ships."""
    document = read_toml(shipped("taxonomy", "urbex"))
    return load_taxonomy(document.values, document.line_of, document.path)


def labels(stage: str, **scores: float | None) -> StageLook:
    """A stage that says labels; `_` in a name stands for a blank."""
    return StageLook(
        f"{stage}@0a1b2c3d",
        tuple(
            Observation(ObservationKind.LABEL, label.replace("_", " "), score)
            for label, score in scores.items()
        ),
    )


def view(stage: str, **scores: float | None) -> StageLook:
    """A stage that decides on views."""
    return StageLook(
        f"{stage}@0a1b2c3d",
        tuple(Observation(ObservationKind.VIEW, label, score) for label, score in scores.items()),
    )
