"""Fields on grids: geometric images, their symmetries and invariant filters."""

from typing import TYPE_CHECKING

from .._not_carried import refuse_in as _refuse_in
from ._adjoint import with_adjoint as with_adjoint
from ._arrays import AnyArray as AnyArray
from ._block_mapping import Blocks as Blocks
from ._compiled import compile_ahead as compile_ahead
from ._compiled import compiled as compiled
from ._component_ops import inner as inner
from ._component_ops import scale as scale
from ._constants import TINY as TINY
from ._constants import Losses as Losses
from ._constants import Rescaling as Rescaling
from ._convolve import convolve as convolve
from ._convolve import convolve_contract as convolve_contract
from ._filters import FilterScaling as FilterScaling
from ._filters import get_invariant_filters as get_invariant_filters
from ._filters import get_invariant_filters_dict as get_invariant_filters_dict
from ._filters import get_invariant_filters_list as get_invariant_filters_list
from ._group import GroupElement as GroupElement
from ._group import make_all_operators as make_all_operators
from ._group import make_C2_group as make_C2_group
from ._group import times_group_element as times_group_element
from ._image import GeometricFilter as GeometricFilter
from ._image import GeometricImage as GeometricImage
from ._keys import Key as Key
from ._keys import KeyLike as KeyLike
from ._keys import Signature as Signature
from ._keys import SignatureLike as SignatureLike
from ._keys import canonical_key as canonical_key
from ._keys import key_name as key_name
from ._keys import key_order as key_order
from ._keys import parse_key_name as parse_key_name
from ._keys import parse_shape as parse_shape
from ._keys import parse_torus as parse_torus
from ._keys import signature_union as signature_union
from ._multi_image import MultiImage as MultiImage
from ._ops import average_pool as average_pool
from ._ops import max_pool as max_pool
from ._ops import nonempty_pixels as nonempty_pixels
from ._ops import norm as norm
from ._planar import PlanarImage as PlanarImage
from ._precision import full_precision as full_precision
from .conv._axes import pad_axes as pad_axes
from .conv._bank_conv import convolve_with_bank as convolve_with_bank
from .conv._bank_conv import mix_channels as mix_channels
from .conv._geometry import ConvGeometry as ConvGeometry
from .conv._geometry import Padding as Padding
from .conv._walls import PADDING_MODES as PADDING_MODES
from .conv._walls import PaddingMode as PaddingMode
from .conv._walls import continue_axes as continue_axes
from .conv._walls import padding_modes as padding_modes
from .conv._ways import Way as Way
from .conv._ways import use_way as use_way

if not TYPE_CHECKING:
    __getattr__ = _refuse_in("ginjax.geometric")
