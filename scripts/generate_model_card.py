# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = "..", editable = true }
# ///
"""Print the card of a trained model: ``ownvoice card`` under the name many people know.

python scripts/generate_model_card.py voices/me/runs/RUN
uv run scripts/generate_model_card.py voices/me/runs/RUN
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["card", *sys.argv[1:]])
