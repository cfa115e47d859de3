"""A person's data over HTTP: for themselves and for administrators."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency
from self_service_agent.shared_models.requests import UserId
from self_service_agent.shared_models.users import User

from .schemas import Erasure
from .service import NoSuchPerson, PersonalData

router = APIRouter(prefix="/api/v1/users/{user_id}/data", tags=["personal data"])

PROBLEMS: Final[Mapping[type[Exception], int]] = MappingProxyType({NoSuchPerson: HTTPStatus.NOT_FOUND})


async def _personal_data(request: Request) -> PersonalData:
    data: PersonalData = request.app.state.personal_data
    return data


PersonalDataService = Annotated[PersonalData, Depends(_personal_data)]


async def _subject(user_id: UserId, caller: CallerDependency, data: PersonalDataService) -> User:
    """Return whom the path names, to themselves and to administrators; others do not learn who is known."""
    user = await data.person(user_id)
    if not caller.is_admin and (user is None or user.user_id != caller.user_id):
        raise Problem(HTTPStatus.FORBIDDEN, "this belongs to somebody else")
    # Somebody who is not known has nothing to erase: a repeated erasure is as good as the first.
    return user or User(user_id=user_id, login=None, email=None)


Subject = Annotated[User, Depends(_subject)]


@router.get("")
async def export_person(subject: Subject, caller: CallerDependency, data: PersonalDataService) -> StreamingResponse:
    """Return everything that is stored about a person."""
    headers = {"content-disposition": 'attachment; filename="personal-data.json"'}
    return StreamingResponse(await data.export(subject, caller=caller), media_type="application/json", headers=headers)


@router.delete("")
async def erase_person(subject: Subject, caller: CallerDependency, data: PersonalDataService) -> Erasure:
    """Delete everything that is stored about a person, and say what was deleted and what remains."""
    return await data.erase(subject, caller=caller)
