"""Models on the Hugging Face Hub: published by name, and fetched by name and revision.

It needs NumPy and the library of the extra `hub`. The public names are listed in `__init__.pyi`; each is imported when it is
first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
