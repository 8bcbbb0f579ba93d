"""``python -m latentlab``: the command line."""

from latentlab.cli import main

if __name__ == "__main__":
    main()
