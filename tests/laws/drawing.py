"""Photos, packets, proposals and profiles, drawn at random."""

from __future__ import annotations

import hypothesis.strategies as st

from laws.world import NAMES, Packet, World, by_lightroom, kws, words_of
from urbexmp.model.change import NOTHING
from urbexmp.model.keyword import Keyword, KeywordFields
from urbexmp.model.profile import Profile

VOCABULARY = kws(
    "Urbex|Building|Hospital",
    "Urbex|Building|Church",
    "Urbex|Decay",
    "Urbex|Newport",
    "Urbex|Café",
)
PERSONS = kws("Places|Wales|Newport", "Hospital", "Dad", "Newport", "urbex", "Urbex|Building")
EITHER = sorted(VOCABULARY | PERSONS)
TIDY = Profile(name="tidy", retract=True)
KEEPING = Profile(name="keeping")

some = st.frozensets(st.sampled_from(EITHER), max_size=4)
proposals = st.frozensets(st.sampled_from(sorted(VOCABULARY)), max_size=4)
profiles = st.builds(
    Profile,
    name=st.sampled_from(("keeping", "tidy")),
    retract=st.booleans(),
    flat=st.sampled_from(("leaf+ancestors", "leaf", "none")),
    missing=st.sampled_from(("restore-once", "ask", "never")),
)
words = st.lists(
    st.sampled_from(sorted({name for keyword in EITHER for name in keyword.path})), max_size=4
).map(tuple)
paths = st.lists(st.sampled_from([str(keyword) for keyword in EITHER]), max_size=4).map(tuple)


@st.composite
def packets(draw: st.DrawFn) -> Packet | None:
    """A packet as Lightroom leaves it, or as any other program may."""
    kind = draw(st.sampled_from(("none", "lightroom", "lightroom", "any")))
    if kind == "none":
        return None
    if kind == "lightroom":
        return by_lightroom(draw(some))
    fields = KeywordFields(draw(st.none() | words), draw(st.none() | paths))
    protected = {"Dad", "Hospital"} & set(fields.flat or ())
    return Packet(fields, None, frozenset(protected) if draw(st.booleans()) else frozenset())


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A photo nobody has synced yet, with one carrier or two."""
    return World(
        dict(zip(NAMES, draw(st.lists(packets(), min_size=1, max_size=2)), strict=False)),
        vocabulary=VOCABULARY,
        unlisted=draw(st.sampled_from((NOTHING, kws("Urbex|Building")))),
    )


def standing(world: World) -> frozenset[Keyword]:
    return NOTHING.union(*(world.keywords(name) for name in world.packets))


def read_at_all(world: World) -> frozenset[Keyword]:
    """Keywords and single words: what anybody could say stood there."""
    return standing(world).union(*(words_of(packet) for packet in world.packets.values()))
