# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = "..", editable = true }
# ///
"""Publish a trained model: ``ownvoice publish model`` under the name many people know.

python scripts/push_to_huggingface.py voices/me/runs/RUN
uv run scripts/push_to_huggingface.py voices/me/runs/RUN
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["publish", "model", *sys.argv[1:]])
