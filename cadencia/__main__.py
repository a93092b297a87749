"""`python -m cadencia` is `cadencia`."""

from cadencia.cli import main

if __name__ == "__main__":
    main()
