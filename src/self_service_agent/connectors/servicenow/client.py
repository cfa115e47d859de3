"""ServiceNow, as far as we use it: who somebody is, which laptops they have, and ordering a new one."""

from pydantic import SecretStr

from self_service_agent.kit.http.client import Client, ConnectionFailed, EgressRefused, HttpError, Response

from . import protocol
from .config import ServiceNowSettings
from .values import Employee, Laptop, Order, OutcomeUnknown, Refused, Unavailable


class ServiceNow:
    """Reads may be repeated at will; an order with an unknown outcome must be looked up by its key first."""

    def __init__(
        self,
        http: Client,
        *,
        base_url: str,
        api_key: SecretStr | None,
        api_key_header: str = "x-sn-apikey",
        laptop_refresh_id: str = "laptop-refresh",
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if api_key is not None:
            self._headers[api_key_header] = api_key.get_secret_value()
        self._order_url = self._base_url + protocol.order_path(laptop_refresh_id)

    @classmethod
    def configured(cls, http: Client, settings: ServiceNowSettings) -> "ServiceNow":
        """Return the client for the instance that the settings name."""
        return cls(
            http,
            base_url=str(settings.servicenow_instance_url),
            api_key=settings.servicenow_api_key,
            api_key_header=settings.servicenow_api_key_header,
            laptop_refresh_id=settings.servicenow_laptop_refresh_id,
        )

    async def employee_of(self, email: str) -> Employee:
        """Return the person with this address, or raise `UnknownEmployee`."""
        response = await self._read(protocol.employee_of(email))
        return protocol.read_employee(response.status, response.content, email=email)

    async def laptops_of(self, email: str) -> tuple[Laptop, ...]:
        """Return the laptops assigned to the person with this address."""
        response = await self._read(protocol.laptops_of(email))
        return protocol.read_laptops(response.status, response.content, email=email)

    async def order_with(self, key: str, *, email: str) -> Order | None:
        """Return the order that was placed with `key` for the person with this address, if there is one."""
        response = await self._read(protocol.order_with(key, email=email))
        return protocol.read_found_order(response.status, response.content, key=key)

    async def order_laptop(self, employee: Employee, *, code: str, justification: str, key: str) -> Order:
        """Order a laptop. ServiceNow does not recognise repetitions: ask `order_with` first."""
        content = protocol.order(employee, code=code, justification=justification, key=key)
        try:
            response = await self._http.post(self._order_url, headers=self._headers, content=content)
        except EgressRefused as error:
            raise Refused("ServiceNow's address may not be called") from error
        except ConnectionFailed as error:
            raise Unavailable("ServiceNow is out of reach") from error
        except HttpError as error:
            raise OutcomeUnknown("the answer was lost") from error
        return protocol.read_placed_order(response.status, response.content, key=key)

    async def _read(self, query: protocol.Query) -> Response:
        try:
            return await self._http.get(self._base_url + query.path, headers=self._headers, params=query.params)
        except EgressRefused as error:
            raise Refused("ServiceNow's address may not be called") from error
        except HttpError as error:
            raise Unavailable("ServiceNow is out of reach") from error
