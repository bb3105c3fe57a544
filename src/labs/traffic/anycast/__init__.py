"""The lesson on anycast: one address in many places, and what that does not promise.

Names load when they are first asked for: NumPy only for who simulates, dnspython only for who
sends a query, a drawing library only for who draws a curve.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Anycast: one address in many places",
    promises=("T2",),
    minutes_to_teach=45,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "DNS",
        "resolver",
        "anycast",
        "catchment",
        "BGP",
        "convergence",
        "denial of service",
        "health check",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
