"""The order of the stages, as functions for the command line and for programs. No torch until a model is loaded.

prepare.py    a table or a voice -> checked and split, for settings that run_settings.py has settled
train.py      that -> a trained run
search.py     several settings on one voice, the best kept
runs.py       the app's runs: start, pause, cancel, go on; job.py does them, queue.py lets one work at a time, and
              run_view.py and failures.py tell how each stands
results.py    what runs brought; models.py keeps and deletes them; learning_curve.py says whether more would help
needs.py      what a training needs on this machine; presets.py has settings for who knows none
dashboard.py  all runs in Trackio
judge.py      a run -> base and tuned on the same phrases
transcribe.py a model and recordings -> transcripts
dictate.py    a model and a microphone -> text
export.py     a run -> the same model for other programs
publish.py    recordings and models -> the Hub, after publish_plan.py has listed what would leave
sharing.py    the same from the app; sharing_job.py does it, and sharing_record.py knows how far it is
remote.py     training on a rented machine; remote_job.py is its half, and renting.py starts it from the app
demo.py       all of it on the built-in model and its sample voice
"""

from ownvoice.training.processes import is_follower, leading
from ownvoice.workflow.demo import Demo, demo
from ownvoice.workflow.job import run_job
from ownvoice.workflow.judge import evaluate_run
from ownvoice.workflow.prepare import Prepared, import_table, prepare
from ownvoice.workflow.run_settings import training_settings
from ownvoice.workflow.search import SearchResult, delete_other_models, search
from ownvoice.workflow.train import TrainedRun, follow, resume_run, train_voice
from ownvoice.workflow.transcribe import open_transcriber

__all__ = [
    "Demo",
    "Prepared",
    "SearchResult",
    "TrainedRun",
    "delete_other_models",
    "demo",
    "evaluate_run",
    "follow",
    "import_table",
    "is_follower",
    "leading",
    "open_transcriber",
    "prepare",
    "resume_run",
    "run_job",
    "search",
    "train_voice",
    "training_settings",
]
