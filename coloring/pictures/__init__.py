"""Patterns and colorings as pictures: figures, and small drawings and tables in HTML.

The pictures know of a pattern and of a coloring what `shown` says, and nothing else of the package.
"""
