"""All that knows Voxtral: its prompt, its features, its adapters, its loss, how it is loaded and how it transcribes.

Nothing is imported here, so that a module that needs a name alone loads no torch.
"""
