# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = ".", editable = true }
# ///
"""The web app: ``ownvoice app`` under the name many people know.

python interface.py
uv run interface.py --no-browser
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["app", *sys.argv[1:]])
