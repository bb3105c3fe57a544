"""The lesson on connections: two links are worth two only while they share nothing.

Names load when they are first asked for: NumPy only for who simulates, networkx only for who asks
about a network.
"""

import lazy_loader

from labs.teaching.lesson import Lesson

LESSON = Lesson(
    title="Connections: two, and independent",
    promises=("U3",),
    minutes_to_teach=40,
    minutes_to_do=35,
    audience=("customers", "staff", "builders"),
    terms=(
        "availability",
        "redundancy",
        "single point of failure",
        "minimum cut",
        "failover",
        "hello message",
        "VRRP",
        "flapping",
        "hold time",
    ),
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
