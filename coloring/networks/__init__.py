"""NetworkX: graphs of matrices for it, it as an engine, and this package as a backend of it.

NetworkX imports `backend_info` when it is imported itself, so that nothing is imported here.
"""
