"""What each place is called in a picture, in which colour, and what fills it: the same wherever places are drawn."""

from __future__ import annotations

# Label, colour and what fills the lane, from the handler outwards.
LANES = {
    "in_service": ("in service", "green", "█"),
    "userspace_queue": ("server's own queue", "yellow", "▓"),
    "before_view": ("  before the view", "yellow", "▚"),
    "accept_queue": ("accept queue", "yellow", "▒"),
    "syn": ("no answer to SYN", "red", "░"),
    "answered": ("answered", "cyan", "·"),
    "rejected": ("rejected", "red", "·"),
    "refused": ("refused", "red", "·"),
    "reset": ("reset", "red", "·"),
    "closed": ("closed", "red", "·"),
    "failed": ("failed on our side", "magenta", "·"),
    "unplaced": ("in a place marked ?", "yellow", "?"),
}
