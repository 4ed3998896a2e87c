"""Whole networks as graphs of operators (ONNX), carried to a higher dimension.

NumPy and the libraries of the extra `onnx`. The names stand in `__init__.pyi`; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
