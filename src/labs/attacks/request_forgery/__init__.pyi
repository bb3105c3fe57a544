import labs.teaching.lesson

from . import exercises, figures
from .model import (
    ATTRIBUTES,
    COLUMNS,
    HALF_FIXES,
    SENDERS,
    WAYS,
    HalfFix,
    check_token,
    check_token_weak,
    cookie_sent_with_form,
    from_own_page_by_referer,
    make_token,
    make_token_weak,
    travels,
)
from .visits import SITES, Sites, World, attack_page

LESSON: labs.teaching.lesson.Lesson

__all__ = [
    "ATTRIBUTES",
    "COLUMNS",
    "HALF_FIXES",
    "LESSON",
    "SENDERS",
    "SITES",
    "WAYS",
    "HalfFix",
    "Sites",
    "World",
    "attack_page",
    "check_token",
    "check_token_weak",
    "cookie_sent_with_form",
    "exercises",
    "figures",
    "from_own_page_by_referer",
    "make_token",
    "make_token_weak",
    "travels",
]
