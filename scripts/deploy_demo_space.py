# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = "..", editable = true }
# ///
"""Publish a demo of a trained model: ``ownvoice publish space`` under the name many people know.

python scripts/deploy_demo_space.py voices/me/runs/RUN
uv run scripts/deploy_demo_space.py voices/me/runs/RUN
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["publish", "space", *sys.argv[1:]])
