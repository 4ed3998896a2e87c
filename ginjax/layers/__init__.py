"""The layers that networks on fields are made of."""

from ._check import Image as Image
from ._check import in_form_of as in_form_of
from ._conv import ConvContract as ConvContract
from ._conv import UseBias as UseBias
from ._conv import as_bank as as_bank
from ._conv import field_signature as field_signature
from ._draw import shapes_only as shapes_only
from ._functions_by_name import functions_by_name as functions_by_name
from ._functions_by_name import functions_found as functions_found
from ._norm import GroupNorm as GroupNorm
from ._norm import LayerNorm as LayerNorm
from ._pool import MaxNormPool as MaxNormPool
from ._products import ProductNonlinear as ProductNonlinear
from ._products import product_keys as product_keys
from ._products import tensor_keys as tensor_keys
from ._vector_neuron import VectorNeuronNonlinear as VectorNeuronNonlinear
from ._wrapper import LayerWrapper as LayerWrapper
from ._wrapper import LayerWrapperAux as LayerWrapperAux
