from .exercise import Answer, Exercise, Outcome, Part
from .frames import Frame, frame
from .hints import Hint, Hints
from .lesson import Lesson
from .pairing import matching
from .pictures import Picture, axes, picture
from .quiz import Option, Quiz
from .rendering import Shown
from .report import Failed, Finding, Report
from .sliders import Explore, Slider, explore
from .source import Source, show_source
from .table import Table

__all__ = [
    "Answer",
    "Exercise",
    "Explore",
    "Failed",
    "Finding",
    "Frame",
    "Hint",
    "Hints",
    "Lesson",
    "Option",
    "Outcome",
    "Part",
    "Picture",
    "Quiz",
    "Report",
    "Shown",
    "Slider",
    "Source",
    "Table",
    "axes",
    "explore",
    "frame",
    "matching",
    "picture",
    "show_source",
]
