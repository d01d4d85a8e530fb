"""The command ``brickwork``, also ``python -m brickwork``."""

import sys

from brickwork import _brickwork


def main() -> int:
    """Run the command with this process's arguments and return its exit status."""
    return _brickwork.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
