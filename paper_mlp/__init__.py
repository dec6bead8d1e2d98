"""The experiments of "Seeing Is Believing: Brain-Inspired Modular Training", reproduced."""
