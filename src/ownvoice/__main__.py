"""``python -m ownvoice`` is the ``ownvoice`` command."""

from ownvoice.cli import main

if __name__ == "__main__":
    main()
