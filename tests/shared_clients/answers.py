"""What a request manager says."""

from self_service_agent.doubles.receiver import Answer as HttpAnswer
from self_service_agent.shared_clients.protocol import Answer
from self_service_agent.shared_models.requests import RequestAccepted, RequestStatus, ResponseBody

ANSWER = Answer(
    request_id="r1",
    session_id="s1",
    status=RequestStatus.COMPLETED,
    response=ResponseBody(
        content="Hello there.",
        agent_id="routing-agent",
        metadata={},
        processing_time_ms=3,
        requires_followup=False,
        followup_actions=[],
    ),
)
ACCEPTED = RequestAccepted(
    request_id="r1",
    session_id="s1",
    status=RequestStatus.PENDING,
    status_url="/api/v1/requests/r1/status",
    result_url="/api/v1/requests/r1/result",
)
ANSWERED = HttpAnswer(body=ANSWER.model_dump_json().encode())
LATER = HttpAnswer(status=202, body=ACCEPTED.model_dump_json().encode())


def problem(status, detail):
    return HttpAnswer(status=status, body=f'{{"detail": "{detail}"}}'.encode())


def streamed(*events):
    """Return a stream of (kind, data) or (kind, data, id)."""
    lines = "".join(_event(*event) for event in events)
    return HttpAnswer(headers={"Content-Type": "text/event-stream"}, body=lines.encode())


def _event(kind, data, number=None):
    known_as = "" if number is None else f"id: {number}\n"
    return f"{known_as}event: {kind}\ndata: {data}\n\n"
