"""What the mock's endpoints share, and the error they answer with."""

from dataclasses import dataclass

from pydantic import SecretStr

from .employees import MockEmployee
from .faults import Faults
from .orders import OrderBook


@dataclass(frozen=True, kw_only=True)
class MockState:
    """One running mock."""

    people: tuple[MockEmployee, ...]
    book: OrderBook
    faults: Faults
    api_key: SecretStr | None


class CatalogError(Exception):
    """A refusal in ServiceNow's form."""

    def __init__(self, status: int, message: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.message = message
        self.detail = detail
