"""`python -m holdfast`."""

from holdfast_probe import main

main()
