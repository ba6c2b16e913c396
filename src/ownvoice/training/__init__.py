"""Training a voice: clips made ready once, an exact and resumable loop, the best model kept on disk.

:func:`ownvoice.training.trainer.train` is the way in; its progress is told by :mod:`ownvoice.events`.
"""
