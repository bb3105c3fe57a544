"""Kvittra, the fictional Nordic online bookkeeping service that the whole book is about.

``cast`` names its people and customers. ``create_app`` builds the service: hardened, unless a
weakness is asked for by name. ``WEAKNESSES`` lists what can be asked for.

Both are loaded when first used, so that a lesson that only needs the cast never pays for Flask.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["cast"],
    submod_attrs={
        "app": ["Kvittra", "create_app"],
        "sessions": ["seeded_tokens"],
        "weaknesses": ["WEAKNESSES", "Weakness"],
    },
)
