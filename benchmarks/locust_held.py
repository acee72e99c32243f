"""Locust's part of `held.py`: each user sends one request and no more."""

from __future__ import annotations

from locust import FastHttpUser, constant, task


class Held(FastHttpUser):
    """One user, who sends one request and keeps quiet afterwards."""

    wait_time = constant(3600)
    network_timeout = 60.0
    connection_timeout = 60.0

    @task
    def once(self) -> None:
        """The one request; it is answered when the server has held it long enough."""
        self.client.get("/")
