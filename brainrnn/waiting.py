"""How threads wait for each other: asleep. To be imported before PyTorch.

By default OpenMP's threads wait by spinning. Where another process wants one of the processors,
the thread that spins keeps from running the very thread it waits for, and a step of training
takes tens of times as long. On an idle machine sleeping costs a little for very small work, which
is done on one thread anyway.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
