"""The web app: pages of our own over the library, and no domain logic (see docs/adr/0004-own-pages.md)."""
