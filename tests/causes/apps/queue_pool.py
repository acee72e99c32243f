"""A connection of SQLAlchemy's QueuePool for each request: 3, and 2 in overflow."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import QueuePool

app = FastAPI()
engine = create_engine(
    "sqlite://",
    poolclass=QueuePool,
    pool_size=3,
    max_overflow=2,
    pool_timeout=600,
    connect_args={"check_same_thread": False},
)


def connection():
    with engine.connect() as found:
        yield found


@app.get("/")
async def index(database: Annotated[Connection, Depends(connection)]):
    return "here"
