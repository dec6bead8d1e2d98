"""``paper-mlp`` and ``python -m paper_mlp``: the command line."""

from brainrnn.runs.stopping import leave_on_request


def main() -> None:
    """Listen to Ctrl-C before anything large is imported, then run the command line."""
    leave_on_request("paper-mlp")
    from paper_mlp.cli import main as run

    run()


if __name__ == "__main__":
    main()
