"""Run the command line as `python -m ginjax_cli`."""

from .main import main

if __name__ == "__main__":
    main()
