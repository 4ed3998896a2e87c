"""Every format that is read: how a sound file is made, how it is damaged, how it is read, and what it truly holds.

A format is a function with `@a_format(...)` above it that writes a sound file, in a module that is named here. What is accepted is
judged without the reader that accepted it: a file of ours with a checksum must come back as it was written; of others every value
that is handed out must stand in the file, as an independent library reads it.
"""

from trust.formats import arrays, graphs, hdf5, networks, others, own, texts
from trust.formats._format import FORMATS as FORMATS

assert all((arrays, graphs, hdf5, networks, others, own, texts))  # they add themselves
