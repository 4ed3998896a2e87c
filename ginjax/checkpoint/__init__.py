"""The files of this project: named arrays and a header, read without trust and written whole or not at all.

The names stand in `__init__.pyi`; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
