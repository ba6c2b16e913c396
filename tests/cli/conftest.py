"""Fixtures of the command line's tests."""

from bad_place import good_place, place

__all__ = ["good_place", "place"]
