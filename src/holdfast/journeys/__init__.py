"""Walks through a journey: decides, for each client, what it sends next and what it waits for; pure."""
