"""What runs inside the reader's browser beside the labs: cells, displays, key derivation.

In the page this package is called ``labs_page``; hence its relative imports.

Nothing here imports Pyodide: the worker hands in the few JavaScript functions that are needed, so
every module is tested in CPython as well.
"""
