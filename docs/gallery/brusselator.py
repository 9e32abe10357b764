"""
A chemical wave: pattern and time series
========================================

Words.
"""

import matplotlib.pyplot as plt

plt.plot([1, 2], [1, 2])
