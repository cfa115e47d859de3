"""What the mock's endpoints share, and the error they answer with."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from .catalog import CatalogItem
from .employees import MockEmployee
from .faults import Faults
from .journal import Journal
from .orders import OrderBook


@dataclass(frozen=True, kw_only=True)
class MockState:
    """One running mock."""

    people: tuple[MockEmployee, ...]
    items: Mapping[str, CatalogItem]
    book: OrderBook
    journal: Journal
    faults: Faults
    api_key: SecretStr | None


class CatalogError(Exception):
    """A refusal in ServiceNow's form."""

    def __init__(self, status: int, message: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.message = message
        self.detail = detail
