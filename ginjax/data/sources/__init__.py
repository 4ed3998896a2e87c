"""Sources: time series of fields, from files, from memory or simulated, which are read a slice at a time."""

from ginjax.data.sources._from_file import assemble as assemble
from ginjax.data.sources._joined import join as join
from ginjax.data.sources._memory import MemorySource as MemorySource
from ginjax.data.sources._memory import held_in_memory as held_in_memory
from ginjax.data.sources._paired import paired as paired
from ginjax.data.sources._pairs import pairs_as_source as pairs_as_source
from ginjax.data.sources._selected import select_fields as select_fields
from ginjax.data.sources._simulated import simulate as simulate
from ginjax.data.sources._source import MAX_VALUES_READ as MAX_VALUES_READ
from ginjax.data.sources._source import NO_SERIES as NO_SERIES
from ginjax.data.sources._source import Box as Box
from ginjax.data.sources._source import Source as Source
from ginjax.data.sources._source import slices_of as slices_of
from ginjax.data.sources._spacing import refuse_unequal as refuse_unequal
from ginjax.data.sources._spacing import spacings_in_words as spacings_in_words
from ginjax.data.sources._told import MissingCondition as MissingCondition
from ginjax.data.sources._told import condition_ranges as condition_ranges
from ginjax.data.sources._told import condition_values as condition_values
from ginjax.data.sources._told import with_conditions as with_conditions
