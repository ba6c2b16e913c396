"""Recordings in: from a folder, a table, a zip, another voice folder or the Hub, copied into a voice.

intake.py    the front door: copies each clip into the voice, or says why not
folders.py   what a folder holds and which of its files have the words
tables.py    CSV, TSV, JSON lines, LJSpeech, Common Voice
columns.py   which column is which
archive.py   a zip, read in place and within bounds
hub.py       a data set on the Hugging Face Hub, streamed
source.py    what they all hand over: clips, and what was left out
"""

from ownvoice.data.importers.intake import ImportResult, import_recordings
from ownvoice.data.importers.source import LeftOut

__all__ = ["ImportResult", "LeftOut", "import_recordings"]
