"""Bodies of requests and responses."""
from pydantic import BaseModel, Field


class VisitRequest(BaseModel):
    user_id: str = Field(min_length=1)
    page_url: str = Field(min_length=1)
    user_agent: str | None = None
    ip_address: str | None = None
    referrer: str | None = None


class VisitResponse(BaseModel):
    success: bool
    visit_count: int
    message: str


class StatsRequest(BaseModel):
    timeframe_hours: float = Field(default=1.0, ge=0.1, le=168.0)


class StatsResponse(BaseModel):
    uptime_seconds: float
    uptime_formatted: str
    total_visits: int
    current_time: str
    server_status: str
    recent_visits: int
    timeframe_hours: float
