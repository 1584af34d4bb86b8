"""``python -m tongqiu`` is the command line."""

from tongqiu.cli import main

if __name__ == "__main__":
    main()
