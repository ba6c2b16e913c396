"""ownvoice teaches Mistral's Voxtral speech model the voice of one person.

Importing this package loads neither torch nor transformers; the functions of
:mod:`ownvoice.workflow` are the way in for programs.
"""

__version__ = "0.1.0"
