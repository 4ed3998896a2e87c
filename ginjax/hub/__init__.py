"""Models on the Hugging Face Hub: published by name, and fetched by name and revision. NumPy, and the library of the extra `hub`.

The names stand in `__init__.pyi`; each is imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
