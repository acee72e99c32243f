"""Probes a server again and again with one thing changed, until it shows which setting decides."""
