"""Networks on fields that can be carried from one dimension to another."""

from ._activation import ACTIVATION_REGISTRY as ACTIVATION_REGISTRY
from ._activation import handle_activation as handle_activation
from ._build import ARCHITECTURES as ARCHITECTURES
from ._build import build_model as build_model
from ._conv_block import ConvBlock as ConvBlock
from ._dil_resnet import DilResNet as DilResNet
from ._inspect import count_params as count_params
from ._inspect import get_filter_sum as get_filter_sum
from ._inspect import get_scaled_filters as get_scaled_filters
from ._make_conv import make_conv as make_conv
from ._module import AnyDimensionalModel as AnyDimensionalModel
from ._module import MultiImageModule as MultiImageModule
from ._named_arrays import layer_table as layer_table
from ._named_arrays import model_banks as model_banks
from ._named_arrays import named_arrays as named_arrays
from ._named_arrays import with_arrays as with_arrays
from ._resnet import ResNet as ResNet
from ._series import SimpleConvSeries as SimpleConvSeries
from ._spec import ModelSpec as ModelSpec
from ._unet import UNet as UNet
from ._wrappers import GroupAverage as GroupAverage
from ._wrappers import LastStepIdentity as LastStepIdentity
from ._wrappers import ModelWrapper as ModelWrapper
