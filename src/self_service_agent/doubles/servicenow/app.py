"""The mock ServiceNow server: the catalog's order call, and tables to read and comment."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from .catalog import catalog
from .employees import employees
from .endpoints import api, health
from .faults import Faults
from .journal import Journal
from .orders import OrderBook
from .settings import MockServiceNowSettings
from .state import CatalogError, MockState


def create_app(settings: MockServiceNowSettings, *, faults: Faults | None = None) -> FastAPI:
    """Return the server; orders written before are read from the state file now."""
    app = FastAPI(title="Mock ServiceNow")
    state_file = settings.mock_servicenow_state_file
    app.state.mock = MockState(
        people=employees(),
        items=catalog(),
        book=OrderBook(state_file),
        journal=Journal(state_file.with_suffix(".comments.jsonl") if state_file else None),
        faults=faults or Faults(),
        api_key=settings.mock_servicenow_api_key,
    )
    app.include_router(health)
    app.include_router(api)
    app.exception_handler(CatalogError)(_explain)
    return app


async def _explain(_: Request, error: CatalogError) -> JSONResponse:
    content = {
        "error": {"message": error.message, "detail": error.detail},
        "status": "failure",
        "detail": error.detail,
    }
    return JSONResponse(content, status_code=error.status)
