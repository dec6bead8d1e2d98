"""``python -m brainrnn``: the command line."""

from brainrnn.cli import main

main()
