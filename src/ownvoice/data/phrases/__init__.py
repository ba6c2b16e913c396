"""Phrases to read aloud: where they come from, which are shown, and what to record next.

source.py       the phrases of any source, with origin and licence
bank.py         the built-in phrases of a language, in the order that teaches the most first
granary.py      phrases from NVIDIA Granary; speakable.py says which are fit to be read
own.py          what a person brought: own_text.py cuts a text, own_words.py puts sentences around names
free_speech.py  questions and drawings to speak freely to
choose.py       which phrases a person is shown, in which order
next_up.py      what to record next; adaptive.py orders phrases by a model's errors
coverage.py     the phones and diphones that phrases hold
banks/ lexicons/ carriers/ prompts/  the texts; the first two are made by tools/phrases/build.py

The names here are those that are light to import; the others are imported from their modules.
"""

from ownvoice.data.phrases.bank import TOPICS, Phrase, bank_languages, load_bank
from ownvoice.data.phrases.coverage import Coverage, coverage
from ownvoice.data.phrases.own_text import phrases_from_file

__all__ = ["TOPICS", "Coverage", "Phrase", "bank_languages", "coverage", "load_bank", "phrases_from_file"]
