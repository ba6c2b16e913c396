"""Recordings and their table: read, keep, check and split them. No torch here."""
