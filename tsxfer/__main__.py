"""``python -m tsxfer`` is ``tsxfer``."""

from tsxfer.cli import main

if __name__ == "__main__":
    main()
