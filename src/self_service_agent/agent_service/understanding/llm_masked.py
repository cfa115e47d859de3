"""What a model sees of the choices: placeholders for what is personal in their labels, and in their ids."""

from dataclasses import replace

from self_service_agent.agent_service.guards.masking import Masked, mask

from .context import Choice, UnderstandingContext


def masked_context(context: UnderstandingContext, after: Masked) -> tuple[UnderstandingContext, Masked]:
    """Return the context as a model may see it, and the placeholders of `after` together with those in it."""
    choices, seen = _masked(context.choices, after)
    corrections = []
    for each in context.corrections:
        offered, seen = _masked(each.choices, seen)
        corrections.append(replace(each, choices=offered))
    return replace(context, choices=choices, corrections=tuple(corrections)), seen


def _masked(choices: tuple[Choice, ...], seen: Masked) -> tuple[tuple[Choice, ...], Masked]:
    masked = []
    for choice in choices:
        seen_id = mask(choice.id, after=seen)
        seen_label = mask(choice.label, after=seen_id)
        masked.append(Choice(seen_id.text, seen_label.text))
        seen = seen_label
    return tuple(masked), seen
