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
            return 64 * s + lowest_clear(words[s])
    return 64 * words.size


@Kernel
def lowest_clear_bit(word):
    """The lowest bit that is not set, alone in a word."""
    return ~word & (word + np.uint64(1))


@Kernel
def lowest_clear(word):
    """Place of the lowest bit that is not set; there must be one."""
    bit = lowest_clear_bit(word)
    place = 0
    while bit >> np.uint64(place) != np.uint64(1):
        place += 1
    return place


@Kernel
def wider(sets):
    """Copy an array of sets (the words along its last axis) with twice the capacity."""
    copy = np.zeros((sets.shape[0], sets.shape[1], 2 * sets.shape[2]), np.uint64)
    for i in range(sets.shape[0]):
        for j in range(sets.shape[1]):
            for s in range(sets.shape[2]):
                copy[i, j, s] = sets[i, j, s]
    return copy
