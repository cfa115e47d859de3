"""`python -m self_service_agent.cli` is `ssa`."""

from .main import app

app()
