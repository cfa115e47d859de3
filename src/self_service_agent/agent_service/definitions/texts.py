"""The sentences that every flow inherits; a definition may replace any of them."""

from .steps import Part, Text
from .templates import compile_template as text


class Texts(Part):
    """What the agent says in the situations that no flow describes."""

    greeting: Text = text("Hello! I am {name}. I can help you to:\n{abilities}")
    welcome_back: Text = text("Hello again!")
    thanks: Text = text("You are welcome.")
    farewell: Text = text("Goodbye, and come back whenever you need something.")
    identity: Text = text("I am {name}, an automated assistant. Say 'human' to reach a person.")
    help: Text = text(
        "I can help you to:\n{abilities}\n"
        "At any time: 'status', 'repeat', 'back', 'cancel', 'human' for a person, "
        "'reset' to start afresh, 'quit' to end."
    )
    anything_else: Text = text("Is there anything else I can help you with?")
    unsure: Text = text("I am not sure what you need. Did you mean one of these?")
    out_of_scope: Text = text(
        "I cannot help with that. I can help you to:\n{abilities}\nSay 'human' to reach a person."
    )
    unchecked: Text = text(
        "I cannot check messages right now, so I have not read yours, and nothing was done. "
        "Say 'human' to reach a person, or try again in a moment."
    )
    blocked: Text = text(
        "I do not act on a message like that, and nothing was done. "
        "Please say in other words what you need, or say 'human' to reach a person."
    )
    only_english: Text = text("I only understand English. Please write in English, or say 'human' to reach a person.")
    missed: Text = text("Sorry, I did not get that.")
    missed_often: Text = text("Sorry, I still do not get it. Say 'human' to reach a person, or 'cancel' to stop.")
    missed_choice: Text = text("Please pick one of the options by its number or name.")
    which_one: Text = text("Several of them fit. Which one do you mean?")
    missed_confirmation: Text = text(
        "Nothing has been done yet: I only go on after a plain yes. "
        "Say 'no' to stop, or what shall be different, by its name."
    )
    tell_me_more: Text = text("Please tell me in other words what you need.")
    not_that_value: Text = text("That does not answer my question yet.")
    cancelled: Text = text("I stopped: {title}. Nothing more will be done about it.")
    nothing_to_cancel: Text = text("There is nothing in progress to cancel.")
    cancelled_in_doubt: Text = text(
        "I stopped here, but the request may already have gone through. "
        "Ask again and I will check it before anything else."
    )
    done_is_final: Text = text("Only the help desk can change or cancel that: say 'human' to reach a person.")
    only_for_yourself: Text = text(
        "I can only do this for you, not for somebody else. They can ask me here themselves; "
        "say 'human' to reach a person."
    )
    nothing_pending: Text = text("There is nothing waiting for an answer from you.")
    nothing_to_go_back_to: Text = text("There is no earlier step to go back to.")
    research_asked: Text = text("I asked my documents:\n{questions}")
    research_numbers: Text = text("The numbers in these sources, side by side:\n\n{table}")
    plan: Text = text("The plan to {title}:\n{steps}\nNot every step is needed each time.")
    resumed: Text = text("Back to where we were: {title}.")
    already_started: Text = text("We are already on it.")
    in_progress: Text = text("In progress: {title}.")
    nothing_in_progress: Text = text("Nothing is in progress.")
    no_answer: Text = text("I found nothing in my documents that answers this. Say 'human' to reach a person.")
    already_done: Text = text("This is already done. {record}")
    again: Text = text("Do you want to leave it at that?")
    again_leave: Text = text("Leave it as it is")
    again_start: Text = text("Start a new one")
    left_as_is: Text = text("Good, I leave it as it is.")
    tool_unavailable: Text = text(
        "The system behind this cannot be reached right now. Nothing is lost: I keep where we are."
    )
    tool_refused: Text = text("The system refused this: {reason}")
    tool_in_doubt: Text = text(
        "I cannot tell whether the request went through. I keep it and will check before anything is sent again."
    )
    undecidable: Text = text("The records are not complete enough for me to decide this ({reason}). A person can.")
    what_now: Text = text("What shall I do?")
    try_again: Text = text("Try again")
    talk_to_person: Text = text("Talk to a person")
    stop_here: Text = text("Stop here")
    something_else: Text = text("Something else")
    resolve_first: Text = text("First I need to know whether the earlier request went through.")
    approval_waiting: Text = text("Your request waits for approval: {summary}")
    approved_elsewhere: Text = text(
        "Nothing is approved by a message to me. Whoever is asked for an approval decides by the link in their mail, "
        "or in the list of approvals."
    )
    approval_granted: Text = text("Your request was approved.")
    approval_denied: Text = text("Your request was declined.")
    approval_expired: Text = text("Nobody decided about your request in time, so it is not approved: {summary}")
    approval_comment: Text = text("The comment on it: {comment}")
    approval_changed: Text = text("What was approved has changed since, so it needs to be approved again.")
    approval_unknown: Text = text("A decision came about something that does not wait for one any more: {summary}")
    handed_over: Text = text(
        "I am handing this conversation to a person, with everything you told me. They will answer here."
    )
    with_a_person: Text = text("A person has this conversation and sees your message. Say 'back' to return to me.")
    returned: Text = text("I am back.")
    returned_by_person: Text = text("{by} has handed the conversation back to me.")
    settled_by_person: Text = text("{by} has settled this, and handed the conversation back to me.")
    definition_gone: Text = text("What we were doing has changed since, so I have to start it over: {title}.")
    session_reset: Text = text("Starting afresh. What can I do for you?")
    usage: Text = text("Tokens used by this turn: {input_tokens} in, {output_tokens} out.")
    withheld: Text = text(
        "I had an answer, but it did not pass a check before it was sent, so I do not show it. "
        "Say 'status' to hear where things stand, or 'human' to reach a person."
    )
    failed: Text = text("Something went wrong on my side, and nothing was done. Please try again, or say 'human'.")
