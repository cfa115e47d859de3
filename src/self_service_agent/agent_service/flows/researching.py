"""An agent that researches: everything it hears is a question, and it answers with sources and nothing of its own."""

from typing import Any

from self_service_agent.agent_service.knowledge.answers import Answer
from self_service_agent.agent_service.research.rules import questions_of, side_by_side, verdict_of
from self_service_agent.agent_service.understanding.commands import (
    AskKnowledge,
    CannotHandle,
    Command,
    ForSomeone,
    StartFlow,
)

from .stage import Stage


def as_questions(commands: tuple[Command, ...], stage: Stage) -> tuple[Command, ...]:
    """Return what an agent is to obey: one that researches starts no flows."""
    if stage.home.manner != "research":
        return commands
    wishes = StartFlow | CannotHandle | ForSomeone
    return tuple(AskKnowledge(stage.content) if isinstance(command, wishes) else command for command in commands)


def tell_research(question: str, answer: Answer, stage: Stage) -> None:
    """Say in which ways was asked, quote each source, and put the numbers that they state side by side."""
    asked = questions_of(question)
    if len(asked) > 1:
        stage.say_system(stage.texts.research_asked, questions="\n".join(f"- {each}" for each in asked))
    for number, citation in enumerate(answer.citations, start=1):
        place = f"{citation.title}, {citation.heading}" if citation.heading else citation.title
        stage.say(f"[{number}] {citation.text}\n(Source: {place})")
    numbers = _numbers(answer) if len(answer.citations) > 1 else []
    if numbers:
        stage.say_system(stage.texts.research_numbers, table=_table(numbers))
    stage.transcript.citations.extend(citation.to_json() for citation in answer.citations)
    stage.transcript.research = {"questions": list(asked), "numbers": numbers}


def _numbers(answer: Answer) -> list[dict[str, Any]]:
    rows = side_by_side([citation.text for citation in answer.citations])
    return [
        {
            "measure": row.fact.measure,
            "value": row.fact.value,
            "sources": list(row.sources),
            "verdict": verdict_of(row, rows),
        }
        for row in rows
    ]


def _table(numbers: list[dict[str, Any]]) -> str:
    lines = ["| counts | number | sources | |", "|---|---|---|---|"]
    for row in numbers:
        sources = ", ".join(f"[{source}]" for source in row["sources"])
        lines.append(f"| {row['measure']} | {row['value']} | {sources} | {row['verdict']} |")
    return "\n".join(lines)
