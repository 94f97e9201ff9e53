"""Python's collector of cyclic garbage, off where very many objects are made and none is cyclic."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Leave the collector off meanwhile: it would visit all that is made again and again.

    It is a setting of the process. It is restored as it was, also after an exception.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
