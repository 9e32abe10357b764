"""What all tests take for granted, wherever they run."""

import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # count examples, not time: machines that test are busy
settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in jobs that a shell runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
