"""Train an equivariant network where data is cheap, run it where data is dear.

From your own 2D arrays to an evaluated 3D model:

    data = ginjax.from_arrays({"velocity": u}, order={"velocity": 1}, periodic=True, spacing=0.1, time_step=0.05)
    model = ginjax.train(data)
    model3 = model.to_dimension(3)
    model3.verify()
    model3.evaluate(data3).plot()
    model3.save("model.3d.safetensors")

Importing this package is fast: the names are listed in `__init__.pyi`, and each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
