"""Prepared derivatives in files and pickles."""
