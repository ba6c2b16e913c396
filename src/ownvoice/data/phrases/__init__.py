"""Phrases to read aloud: the built-in banks, a person's own texts, and how much of a language phrases cover.

bank.py      the built-in phrases of a language, in the order that teaches the most first
own_text.py  a person's own text as phrases
coverage.py  the phones and diphones that phrases hold
banks/       the built-in phrases themselves, made by tools/phrases/build.py
"""

from ownvoice.data.phrases.bank import TOPICS, Phrase, bank_languages, load_bank
from ownvoice.data.phrases.coverage import Coverage, coverage
from ownvoice.data.phrases.own_text import phrases_from_file

__all__ = ["TOPICS", "Coverage", "Phrase", "bank_languages", "coverage", "load_bank", "phrases_from_file"]
