"""*Trust, Tested*: the labs of an interactive security awareness book.

Each lesson is a package ``labs.<part>.<lesson>``; :mod:`labs.registry` lists them.
Nothing is imported here, so that ``import labs`` costs next to nothing.
"""

__version__ = "0.1.0"
