"""What all tests take for granted, wherever they run."""

import gc
import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # count examples, not time: machines that test are busy
settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in jobs that a shell runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What was collected are 650,000 objects that stay; to look through them for garbage took a fifth of the time. They are
# not frozen: a trace looks for who keeps its values among all objects.
gc.set_threshold(*gc.get_threshold()[:2], 100)
