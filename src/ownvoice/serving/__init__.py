"""A trained model in use: transcripts in the formats other programs read, and a server for them.

formats.py     a transcript as text, JSON, SRT, VTT, TSV
access.py      who may ask: API key, host, origin
uploads.py     a request's sound, received and decoded within bounds
voices.py      several adapters over one base, chosen by name
gate.py        what every request passes: access, number, size, time
batching.py    a bounded queue, and batches of what waits
phrases.py     where a spoken phrase begins and ends
microphone.py  this computer's microphone
dictation.py   live dictation by phrases over a WebSocket
server.py      the OpenAI-compatible routes
stopping.py    runs the server, and stops it with every accepted request answered
demo.py        the page of a demo Space, in Gradio
"""
