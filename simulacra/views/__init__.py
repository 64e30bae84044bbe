"""The app's pages, one file a page: they read stored runs and draw. Long work is a worker process (`simulacra.worker`).

`store` reads, `charts` turns frames into figures, `say` turns numbers into plain words and makes text harmless, `look` holds
colours and the style sheet. Pages keep only ids and choices in session state, and name what they show in the address, so that a
reload or a second tab finds it again.
"""
