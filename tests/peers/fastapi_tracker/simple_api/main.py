"""The three endpoints."""
import datetime
import time
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI

from .database import MockedDB
from .models import StatsRequest, StatsResponse, VisitRequest, VisitResponse


@asynccontextmanager
async def lifespan(app):
    app.state.database = MockedDB()
    app.state.started = time.monotonic()
    yield
    app.state.database.close()


app = FastAPI(title="Traffic Tracker", lifespan=lifespan)


@app.post("/visit")
async def log_visit(visit: VisitRequest) -> VisitResponse:
    count = app.state.database.add(visit.model_dump())
    return VisitResponse(success=True, visit_count=count, message=f"Visit logged successfully. Total visits: {count}")


@app.get("/stats")
async def stats(asked: Annotated[StatsRequest, Depends()]) -> StatsResponse:
    total, recent = app.state.database.count(asked.timeframe_hours)
    uptime = time.monotonic() - app.state.started
    minutes, seconds = divmod(int(uptime), 60)
    hours, minutes = divmod(minutes, 60)
    return StatsResponse(
        uptime_seconds=uptime,
        uptime_formatted=f"{hours}h {minutes}m {seconds}s",
        total_visits=total,
        current_time=datetime.datetime.now().isoformat(),
        server_status="running",
        recent_visits=recent,
        timeframe_hours=asked.timeframe_hours,
    )


@app.get("/health")
async def health():
    return {"status": "healthy"}
