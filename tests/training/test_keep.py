"""What a killed process left half-written is cleared before a run goes on."""

from __future__ import annotations

from ownvoice.rundir import RunFolder
from ownvoice.training.keep import clear_unfinished


def test_half_written_models_and_checkpoints_are_cleared(run: RunFolder) -> None:
    for half in (run.path / ".adapter.new-1", run.path / ".model.old", run.checkpoints / ".step-20.new-2"):
        half.mkdir(parents=True)
    (run.checkpoints / "step-10").mkdir()
    (run.path / ".model.old" / "config.json").write_text("{}")
    clear_unfinished(run)
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "model"]
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-10"]
    assert (run.model / "config.json").exists(), "it was being replaced, so the old one is the last whole one"
