"""What a person shares: their recordings, their model and its card, on the Hugging Face Hub. No torch here.

Nothing in this package decides that something leaves this computer: that is said by the person, each time.
"""
