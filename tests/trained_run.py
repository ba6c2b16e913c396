"""A run of the built-in model on a few clips of its sample voice: truly trained and judged, in seconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ownvoice import workflow
from ownvoice.config import TINY, TrainingSettings
from ownvoice.data.importers import import_recordings
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.demo import SAMPLE_VOICE

CLIPS = 24


def train_tiny(folder: Path) -> RunFolder:
    """Make the voice ``folder/voice`` and train on it; enough steps for other transcripts than the base model's."""
    source = folder / "source"
    (source / "clips").mkdir(parents=True)
    rows = [json.loads(line) for line in (SAMPLE_VOICE / "metadata.jsonl").read_text().splitlines()][:CLIPS]
    for row in rows:
        shutil.copy(SAMPLE_VOICE / row["file_name"], source / row["file_name"])
    (source / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    voice = VoiceFolder(folder / "voice")
    import_recordings(str(source), voice, language="en")
    settings = TrainingSettings.make(
        {"base_model": TINY, "epochs": 2, "batch_size": 4, "dev": {"every": 2.0}, "optimiser": {"learning_rate": 2e-3}}
    )
    run = workflow.train_voice(workflow.prepare(voice, settings), lambda event: None).run
    workflow.evaluate_run(run, progress=lambda stage, done, total: None)
    return run
