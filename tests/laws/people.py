"""Rules: what people ask. They write, move, rename, delete and put back lines and manifests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.laws.manifests import KEYS, MAIN, MORE
from tests.laws.stage import DESCRIPTION, IDS, PRIMARY
from tests.laws.world import World

WORDS = ("one", "two", "three")
# So long that two comments never fit into one call.
LONG = "x" * 200

names = st.sampled_from(IDS)
words = st.sampled_from(WORDS)
manifests = st.tuples(names, st.sampled_from([MAIN, MORE]))


class People(World):
    """Every change of a manifest ends what was reviewed; the shelf keeps it."""

    @initialize(asked=st.sets(names, min_size=1), split=st.booleans(), looks_first=st.booleans())
    def begin(self, asked: set[str], split: bool, looks_first: bool) -> None:
        """The first manifests. Without `looks_first`, only the sent requests show the plan."""
        self.looks_first = looks_first
        for name in sorted(asked):
            self.ask(name, "one", split)

    @rule(name=names, word=words, split=st.booleans())
    def ask(self, name: str, word: str, split: bool) -> None:
        """Write or change a manifest; `split` makes it take several calls."""
        wanted = {DESCRIPTION: f"study {word}" if name in PRIMARY else f"own {word}"}
        wanted |= {"1": f"{word}{LONG}"}
        wanted |= {"2": f"{word}{LONG}"} if split else {}
        if not split:
            self.manifests.release(name, ["2"], MAIN)
        self.manifests.ask(name, wanted)
        self.saved = None

    @rule(manifest=manifests, whose=names)
    def consent(self, manifest: tuple[str, int], whose: str) -> None:
        """Consent to overwrite the current values, and no later value."""
        name, which = manifest
        if {name, whose} <= set(PRIMARY) or name == whose:
            version = self.store.latest(whose).number
            self.manifests.consent(name, which, whose, version)
            self.saved = None


class Editors(People):
    """A line may go from one manifest to another; lines and names go and come back."""

    @rule(name=names, word=words, key=st.sampled_from(["1", "2"]))
    def ask_in_another_manifest(self, name: str, word: str, key: str) -> None:
        """A second manifest on the image set; it takes the line if the first one has it."""
        self.manifests.ask(name, {key: f"{word}{LONG}"}, MORE)
        self.saved = None

    @rule(name=names, keys=st.sets(st.sampled_from(KEYS[:3]), min_size=1))
    def release(self, name: str, keys: set[str]) -> None:
        """Delete lines. A manifest without a line goes, too."""
        self.manifests.release(name, sorted(keys))
        self.saved = None

    @rule(manifest=manifests)
    def rename_a_manifest(self, manifest: tuple[str, int]) -> None:
        self.manifests.rename(*manifest)
        self.saved = None

    @rule()
    def rename_the_data_store(self) -> None:
        """In reconciler.yaml and in every manifest."""
        self.manifests.rename_data_store()
        self.saved = None
