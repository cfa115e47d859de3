"""Set phrases, read as whole messages: yes, no, cancel, a person, back, and the chat commands."""

import re
from collections.abc import Mapping

from .commands import Affirm, Back, Cancel, Command, Deny, Help, Human, Quit, Repeat, Reset, Smalltalk, Status, Tokens

TICKET_NUMBER = re.compile(r"\b(?:REQ|RITM|INC|CHG)\d{5,10}\b", re.IGNORECASE)

_CHAT_COMMANDS: Mapping[str, Command] = {
    **dict.fromkeys(("reset", "clear", "restart", "new session"), Reset()),
    **dict.fromkeys(("tokens", "**tokens**"), Tokens()),
    **dict.fromkeys(("quit", "exit", "q"), Quit()),
    "help": Help(),
    "human": Human(),
}


def _phrases(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})")


_COURTESY = r"(?:please|pls|thanks|thank you|thx|then)"
_YES = (
    r"yes|y|yep|yeah|yea|yup|ok|okay|okey|sure|absolutely|definitely|certainly|correct|affirmative|agreed|right|"
    r"exactly|"
    r"confirm|confirmed|i confirm|i do|i agree|confirm it|go ahead|go for it|do it|please do|let's do it|proceed|"
    r"submit|submit it|order it|place it|send it|place the order|place the request|submit the request|submit the order|"
    r"fine|that(?:'s| is) fine|go|"
    r"of course|sounds good|looks good|that(?:'s| is) (?:right|correct)|all good|i am sure|i'm sure"
)
_EXPLICIT_YES = _phrases(rf"(?:{_YES})(?: (?:{_YES}|{_COURTESY}))*")
_NO_WORDS = (
    r"(?:no|n|nope|nah|no way|not now|not yet|not today|don'?t|do not|please don'?t|don'?t do it|do not do it|"
    r"rather not|i'd rather not|better not|negative|i don'?t|i do not|i don'?t want (?:to|that|it)|not really|"
    r"(?:of course|certainly|absolutely|definitely|maybe|perhaps|probably) not|(?:maybe |perhaps )?later)"
)
_NO = _phrases(
    r"(?:(?:ok|okay|yeah|well|oh|hm|sorry|actually|thanks|thank you|but|wait) )*"
    rf"{_NO_WORDS}(?: (?:{_NO_WORDS}|wait|{_COURTESY}))*"
)
_REFUSED = _phrases(
    r"(?:(?:oh|well|sorry|hm+|actually|wait) )*(?:no|nope|nah) "
    r"(?!(?:problem|worries|idea|doubt|need|one|matter)\b)"
    r"(?!.*\b(?:yes|yep|yeah|ok|okay|sure|fine|go|do it|order it|confirm)\b).*"
)
_NOT_WANTED = _phrases(
    r"(?:(?:no|ok|okay|actually|sorry|thanks|thank you|but|hi|hello) )*"
    r"i (?:don'?t|do not|no longer|never) (?:\w+ )?(?:want|need)(?: to (?:order|request|get|have))? "
    r"(?!.*\b(?:help|anything|else|to)\b)(?:(?:a|an|the|my|this|that|any|another) )?(?:\w+ ){0,2}\w+"
)
_ANY_MORE = re.compile(r"\b(?:any ?more|no longer|a new)\b")
_WISHED_AWAY = re.compile(
    r"\b(?:don'?t|do not|no longer|never|not) (?:\w+ )?(?:want|need|order|request|replace|refresh)\b"
)
_OF_AN_ORDER = _phrases(
    r"(?:(?:please|can|could|may|i|you|we|want|need|have|would|like|i'd|to|ok|sorry|actually) )*"
    r"(?:cancel|change|modify|update|switch|undo|withdraw|revoke|return)(?: (?:my|the|that|this|our))"
    r"(?: \w+){0,2}? (?:order|ticket|request)\b.{0,80}"
    r"|(?:(?:sorry|wait|actually|no|oh) )*i(?:'ve| have)? changed my mind\b.{0,80}"
)
_WISH = re.compile(
    r"^(?:(?:hi|hello|please|can|could|may|i|i'd|we|you|want|need|would|like|to|have|get|give|me|us|order|request|"
    r"install|use|a|an|the|some|licen[cs]e|access|new|for) )*"
    r"(?P<what>.+?)(?: (?:please|thanks|licen[cs]e|for me|now))*$"
)
_LONGEST_WISH = 120
_START_OVER = _phrases(rf"(?:(?:let's|can we|can i|i want to|please) )*start (?:over|again|afresh)(?: {_COURTESY})*")
_APPROVED = _phrases(
    r"(?:(?:yes|ok|okay|it is|it's|this is|has|have|is|hereby|i|we|(?:(?:my|the|it) )?"
    r"(?:manager|management|boss|owner|request|approver)) )*"
    r"approve[ds]?(?: (?:it|this|that|(?:the|my) request))?"
)
_CANCEL = _phrases(
    r"(?:(?:yes|no|ok|okay|actually|sorry|please|wait|oh|well|hm) )*"
    r"(?:cancel|stop|abort|never ?mind|forget (?:it|about it|that)|drop it|leave it|i(?:'ve| have)? changed my mind|"
    r"i don't want (?:it|this|that|to do this) any ?more|i give up)"
    r"(?: (?:it|this|that|everything|all|here))?(?: (?:the|my|this|that) (?:\w+ ){0,3}"
    r"(?:request|order|process|flow|refresh|ticket|conversation|thing|exception))?"
    rf"(?: (?:{_COURTESY}|now))*"
)
_WHO = (
    r"(?:a |an |the |some |real |live |actual |your |my )*"
    r"(?:human(?: being)?|person|someone|somebody|agent|operator|colleague|representative|rep|"
    r"(?:it|support) (?:staff|team)|help ?desk|service desk|technician)"
)
_HUMAN = _phrases(
    r"(?:please |just |(?:can|could|may) (?:i|you) |let me |(?:i want|i need|i'd like|i'd rather|i would like) to |"
    r"i'd rather )*"
    r"(?:speak|talk|chat|connect me|transfer me|put me through|hand me over|escalate(?: (?:it|this|that))?|get me|"
    r"give me|i need|i want)?"
    rf"(?: (?:to|with))?(?: )?{_WHO}(?: (?:{_COURTESY}|now|here|instead))*"
)
_BACK = _phrases(
    r"(?:please )?(?:go |take me )?(?:back|previous|step back|return)(?: (?:one step|a step|please))?"
    r"(?: to (?:the )?(?:assistant|bot|agent))?"
)
_REPEAT = _phrases(
    r"(?:please |can you |could you |sorry )*(?:repeat|say)(?: (?:that|it|the question|the options|again|please))*|"
    r"again|pardon|come again|what was the question|what are (?:the|my) (?:options|choices)|"
    r"(?:the )?(?:options|choices)|show (?:me )?the options(?: again)?"
)
_STATUS = _phrases(
    r"(?:what(?:'s| is) )?(?:the |my )?(?:status|progress)(?: (?:of|on|for) .{1,60})?|"
    r"(?:any )?updates?(?: on .{1,60})?|"
    r"(?:check|show)(?: me)? (?:the |my )?(?:\w+ )?status(?: (?:of|on|for) .{1,60})?|where are we|"
    r"what(?:'s| is) happening(?: (?:with|to) .{1,60})?|where is my (?:\w+ ){0,3}(?:ticket|request|order)|"
    r"what (?:happened|is happening) (?:to|with) my (?:\w+ ){0,2}(?:ticket|request|order)|my (?:ticket|request)s?|"
    r"what(?:'s| is|was) (?:the |my )?ticket(?: number)?|ticket number"
)
_HELP = _phrases(
    r"what can you (?:do|help(?: me)?(?: with)?)(?: for me)?|"
    r"(?:help|menu|how does this work|what do you do|what are you for)(?: me| please)*|"
    r"i need (?:some )?help|can you help(?: me)?"
)
_GREETING_WORDS = (
    r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|team|all|bot|everyone))?"
)
_HOW_ARE_YOU = r"how are you(?: doing| today)*"
_GREETING = _phrases(rf"{_GREETING_WORDS}(?: {_GREETING_WORDS}| {_HOW_ARE_YOU})?|{_HOW_ARE_YOU}")
_THANKS = _phrases(
    r"(?:ok |okay |great |perfect |cool |many |no )*(?:thanks|thank you|thx|cheers)(?: .{0,40})?|"
    r"great|perfect|cool|nice"
)
_FAREWELL = _phrases(
    r"(?:ok |thanks |thank you )*(?:bye|goodbye|bye bye|see you|see ya|good night|that's all|that is all|nothing else)"
    r"(?: .{0,20})?"
)
_IDENTITY = _phrases(
    r"(?:who|what) are you|are you (?:a )?(?:bot|robot|human|person|real|an ai|ai|a real person)|"
    r"am i talking to a (?:bot|human|person)"
)
_GREETING_PREFIX = re.compile(rf"^{_GREETING_WORDS}\b[\s,.!:;-]*", re.IGNORECASE)

_WHOLE_MESSAGES: tuple[tuple[re.Pattern[str], Command], ...] = (
    (_CANCEL, Cancel()),
    (_HUMAN, Human()),
    (_BACK, Back()),
    (_REPEAT, Repeat()),
    (_STATUS, Status()),
    (_HELP, Help()),
)
_POLITE: tuple[tuple[re.Pattern[str], Command], ...] = (
    (_GREETING, Smalltalk("greeting")),
    (_FAREWELL, Smalltalk("farewell")),
    (_THANKS, Smalltalk("thanks")),
    (_IDENTITY, Smalltalk("identity")),
)


def normal(text: str) -> str:
    """Return `text` in lower case, with plain quotes, single spaces and no punctuation except question marks."""
    plain = text.lower().replace("\u2019", "'").replace("\u2018", "'")
    plain = re.sub(r"[^\w\s'?@-]+|(?<!\w)-|-(?!\w)", " ", plain)
    return " ".join(plain.split())


def chat_command(text: str) -> Command | None:
    """Return the command that `text` is exactly, apart from case and surrounding space."""
    return _CHAT_COMMANDS.get(text.strip().lower())


def is_explicit_yes(text: str) -> bool:
    """Say whether `text` as a whole is a yes; a question, a condition or a "but" makes it none."""
    plain = normal(text)
    return any(_EXPLICIT_YES.fullmatch(words) for words in (plain, _trimmed(plain)))


def is_no(text: str) -> bool:
    """Say whether `text` as a whole is a no."""
    plain = normal(text)
    return any(_NO.fullmatch(words) for words in (plain, _trimmed(plain)))


def is_refused(text: str) -> bool:
    """Say whether `text` begins with a no, asks nothing and agrees to nothing."""
    return not text.rstrip().endswith("?") and _REFUSED.fullmatch(normal(text)) is not None


def set_phrase(text: str) -> Command | None:
    """Return the command of a set phrase that works at every step, or None."""
    plain = _trimmed(normal(text)).rstrip("? ")
    return next((command for pattern, command in _WHOLE_MESSAGES if pattern.fullmatch(plain)), None)


def is_not_wanted(text: str) -> bool:
    """Say whether `text` as a whole says that something is not, or no longer, wanted."""
    return _NOT_WANTED.fullmatch(normal(text)) is not None


def is_given_up(text: str) -> bool:
    """Say whether `text` as a whole says that what is in progress is wanted no longer."""
    return is_not_wanted(text) and _ANY_MORE.search(normal(text)) is not None


def wishes_away(text: str) -> bool:
    """Say whether `text` says anywhere that something is not to be had or done."""
    return _WISHED_AWAY.search(normal(text)) is not None


def is_about_an_order(text: str) -> bool:
    """Say whether `text` asks to change, or to take back, what was ordered."""
    return _OF_AN_ORDER.fullmatch(normal(text)) is not None


def is_approval(text: str) -> bool:
    """Say whether `text` as a whole says that something is approved; a question about it does not."""
    return _APPROVED.fullmatch(normal(text)) is not None


def starts_over(text: str) -> bool:
    """Say whether `text` as a whole asks to begin again."""
    return _START_OVER.fullmatch(normal(text)) is not None


def politeness(text: str) -> Smalltalk | None:
    """Return the small talk that `text` is as a whole, or None."""
    plain = normal(text).rstrip("? ")
    found = next((command for pattern, command in _POLITE if pattern.fullmatch(plain)), None)
    return found if isinstance(found, Smalltalk) else None


def yes_or_no(text: str) -> Affirm | Deny | None:
    """Return the yes or no that `text` is as a whole, or None."""
    if is_explicit_yes(text):
        return Affirm()
    return Deny() if is_no(text) else None


def without_greeting(text: str) -> str:
    """Return what is said after the greeting, or everything if there is none."""
    return _GREETING_PREFIX.sub("", text, count=1) or text


def wished_thing(text: str) -> str:
    """Return in lower case what `text` would name if it were a wish and nothing else."""
    found = _WISH.match(normal(text).rstrip("? ")) if len(text) <= _LONGEST_WISH else None
    return found["what"] if found else ""


def is_question(text: str) -> bool:
    """Say whether `text` is shaped like a question."""
    first = normal(text).partition(" ")[0]
    return text.rstrip().endswith("?") or first in {"what", "when", "who", "how", "why", "which", "where"}


def _trimmed(plain: str) -> str:
    return re.sub(rf"^(?:{_COURTESY} )+(?=\w)", "", plain)
