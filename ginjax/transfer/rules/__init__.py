"""The transfer rules, one file each. Adding one is a file here and a line in `_registry.py`."""

from ._centre import Centre as Centre
from ._compatibility import Compatibility as Compatibility
from ._compatibility import transfer_matrix as transfer_matrix
from ._compatibility_norm import CompatibilityNorm as CompatibilityNorm
from ._mean import Mean as Mean
from ._named_rule import NamedRule as NamedRule
from ._none import Extend as Extend
from ._none import dropped_filters as dropped_filters
from ._none import extension_matrix as extension_matrix
from ._registry import PLAIN_RULES as PLAIN_RULES
from ._registry import RULE_NAMES as RULE_NAMES
from ._registry import RULES as RULES
from ._registry import compared_rules as compared_rules
from ._registry import find_rule as find_rule
from ._registry import make_rule as make_rule
from ._registry import register_rule as register_rule
from ._registry import rule_label as rule_label
from ._rule import PlainRule as PlainRule
from ._rule import Rule as Rule
from ._rule import by_name as by_name
from ._volume import SMALL as SMALL
from ._volume import Volume as Volume
from ._volume import filter_sum as filter_sum
from ._volume import has_zero_sum as has_zero_sum
from ._volume import scale_to_volume as scale_to_volume
