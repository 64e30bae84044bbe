"""Does the model look like communities that were measured? `simulacra fidelity`: every published figure that it can be held to.

`rows` has the figures and their bands, `world` plays what they need, `levels` and `effects` take them from what was played, `study`
judges them over communities and seeds, `page` writes docs/fidelity.md.
"""

from simulacra.studies.fidelity.study import COMMUNITIES, Fidelity, Result, fidelity

__all__ = ["COMMUNITIES", "Fidelity", "Result", "fidelity"]
