"""Plan, apply, plan, apply in every world: nothing is lost, and nothing wrong is converged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.otherwise.cycle import cycle, stage
from tests.otherwise.worlds import WORLDS, World


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_the_cycle(tmp_path: Path, world: World) -> None:
    with stage(tmp_path, **world.switches) as on:
        world.scene(on)
        if world.before is not None:
            world.before(on)
        on.faults(*world.faults)
        pairs = cycle(on, world.meanwhile, world.later)
        said = tuple(", ".join(sorted(pair.said)) for pair in pairs)
        assert said == world.says, [pair.text for pair in pairs]
        for words in world.words:
            assert words in pairs[0].text
