"""Sets of small numbers as the bits of 64-bit words."""

import numpy as np

from .kernel import Kernel

FULL = np.uint64(0xFFFFFFFFFFFFFFFF)


@Kernel
def has(words, number):
    """Whether the number is in the set."""
    return (words[number >> 6] >> np.uint64(number & 63)) & np.uint64(1) != 0


@Kernel
def add(words, number):
    """Put the number into the set."""
    words[number >> 6] |= np.uint64(1) << np.uint64(number & 63)


@Kernel
def first_free(words):
    """Least number that is not in the set; the capacity of the set if it is full."""
    for s in range(words.size):
        if words[s] != FULL:
            bit = 0
            while (words[s] >> np.uint64(bit)) & np.uint64(1):
                bit += 1
            return 64 * s + bit
    return 64 * words.size


@Kernel
def wider(sets):
    """Copy an array of sets (the words along its last axis) with twice the capacity."""
    copy = np.zeros((sets.shape[0], sets.shape[1], 2 * sets.shape[2]), np.uint64)
    for i in range(sets.shape[0]):
        for j in range(sets.shape[1]):
            for s in range(sets.shape[2]):
                copy[i, j, s] = sets[i, j, s]
    return copy
