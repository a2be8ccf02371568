"""`python -m urbexmp`, the same as the `urbexmp` command."""

from urbexmp.cli.start import main

if __name__ == "__main__":
    main()
