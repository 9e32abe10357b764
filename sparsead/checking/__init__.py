"""Checks of prepared derivatives against what was not used to compute them."""
