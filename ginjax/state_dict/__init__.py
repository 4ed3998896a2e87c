"""Conversion of trained networks of other libraries, in the form in which they are saved: arrays by name.

NumPy only. The public names are listed in `__init__.pyi`; each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
