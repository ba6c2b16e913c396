"""The whole way on the built-in model and its sample voice: import, train, evaluate, in a few minutes on a CPU.

The same functions as for a person's own recordings, with settings that suit a small model and little time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ownvoice import events
from ownvoice.config import TINY, TrainingSettings
from ownvoice.data.importers import import_recordings
from ownvoice.evaluation.evaluate import Evaluation
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.judge import evaluate_run
from ownvoice.workflow.prepare import prepare
from ownvoice.workflow.train import train_voice

EPOCHS = 5
BATCH_SIZE = 8
"""About two minutes on two cores with the 129 clips trained on: half of what a slower laptop may take."""

SAMPLE_VOICE = Path(__file__).parent.parent / "model" / "tiny" / "sample_voice"


@dataclass(frozen=True)
class Demo:
    """What the demonstration made."""

    run: RunFolder
    evaluation: Evaluation


def demo(voice: VoiceFolder, *, seed: int, listener: events.Listener, progress: events.StageProgress) -> Demo:
    """Import the sample voice into ``voice``, train the built-in model on it, and judge both.

    Raises
    ------
    ModelError
        when the built-in model is missing from this installation.
    StorageError
        when the disk is full or the folder cannot be written.
    """
    import_recordings(
        str(SAMPLE_VOICE), voice, language="en", progress=lambda done, total: progress("Importing", done, total)
    )
    settings = TrainingSettings(base_model=TINY, language="en", seed=seed, epochs=EPOCHS, batch_size=BATCH_SIZE)
    trained = train_voice(prepare(voice, settings), listener)
    return Demo(trained.run, evaluate_run(trained.run, progress=progress))
