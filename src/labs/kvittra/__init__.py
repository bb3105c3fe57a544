"""Kvittra, the fictional Nordic online bookkeeping service that the whole book is about.

``cast`` names its people and customers. ``create_app`` builds the service: hardened, unless a
weakness is asked for by name. ``WEAKNESSES`` lists what can be asked for.

Both are loaded when first used, so that a lesson that only needs the cast never pays for Flask.

>>> from labs.kvittra import create_app
>>> app = create_app({"sql_injection_search"}, seed=1)
>>> app.edition.find_invoices.__name__
'find_invoices_weak'
>>> [row["number"] for row in app.edition.find_invoices(
...     app.connection, "korklang", "%' OR customer = 'alnoor' --", "number")]
[1060, 1061, 1062, 1066, 1067, 1068]

What a lesson can lay hands on: ``app.connection`` (the database), ``app.sessions``,
``app.outbox`` (mails), ``app.files``, ``app.clock`` and ``app.reset()``.
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
