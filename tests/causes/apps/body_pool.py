"""A view whose body holds a connection of SQLAlchemy's pool of 2 and 1 more over SQLite."""

import time

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

engine = create_engine(
    "sqlite:///:memory:",
    poolclass=QueuePool,
    pool_size=2,
    max_overflow=1,
    connect_args={"check_same_thread": False},
)
app = Flask(__name__)


@app.get("/")
def index():
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        time.sleep(0.2)
    return "here"
