"""Trained networks of other libraries, carried to another dimension as what they are saved as: arrays by name.

NumPy only. The names stand in `__init__.pyi`; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
