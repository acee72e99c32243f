"""`python -m holdfast`."""

from holdfast.cli.entry import main

main()
