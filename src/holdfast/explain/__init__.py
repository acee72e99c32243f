"""Experiments on experiments: what decides how much a server does, shown by changing it."""
