"""Conversion of whole networks, given as graphs of operators (ONNX), to a higher dimension.

It needs NumPy and the libraries of the extra `onnx`. The public names are listed in `__init__.pyi`; each is imported when it is
first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
