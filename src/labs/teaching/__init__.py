"""What every lesson uses: exercises, hints, quizzes, pictures, sliders, sources, progress.

Names load when they are first asked for, so that a lab that draws nothing never loads a drawing
library. This package knows no lesson.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
