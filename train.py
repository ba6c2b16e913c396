# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = ".", editable = true }
# ///
"""Full fine-tuning: ``ownvoice train --method full`` under the name many people know.

python train.py --dataset-jsonl recordings.jsonl
uv run train.py --dataset-jsonl recordings.jsonl
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["train", "--method", "full", *sys.argv[1:]])
