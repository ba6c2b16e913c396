# /// script
# requires-python = ">=3.11"
# dependencies = ["ownvoice"]
#
# [tool.uv.sources]
# ownvoice = { path = ".", editable = true }
# ///
"""LoRA fine-tuning: ``ownvoice train --method lora`` under the name many people know.

python train_lora.py --dataset-jsonl recordings.jsonl
uv run train_lora.py --dataset-jsonl recordings.jsonl
"""

import sys

from ownvoice.cli import main

if __name__ == "__main__":
    main(["train", "--method", "lora", *sys.argv[1:]])
