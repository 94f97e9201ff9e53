"""`reconcile explain`: explain a word of a plan, a manifest or DICOM."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import complete, options


def explain(
    word: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", hidden=True, autocompletion=complete.words),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Explain a word of a plan, a manifest or DICOM.

    WORD is a hazard, a status, an outcome, a rule, a key of a manifest, or a DICOM keyword, tag or
    UID: `reconcile explain CHANGES_UID`, `reconcile explain PatientName`. Needs no settings and no
    service. Without WORD, lists what can be explained.
    """
    from reconciler.cli import screen
    from reconciler.core import explain as knowledge
    from reconciler.render import explain as render

    if not word:
        words = knowledge.known_words()
        if json:
            screen.say_json(render.word_list_json(words))
        else:
            screen.say(render.word_list(words, screen.look()))
        return
    found = knowledge.explain(" ".join(word))
    if json:
        screen.say_json(render.explanations_json(found))
    else:
        screen.say(render.explanation_lines(found, screen.look()))
