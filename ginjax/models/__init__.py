"""Networks on fields that can be carried from one dimension to another."""

from typing import TYPE_CHECKING

from .._not_carried import refuse_in as _refuse_in
from ._any_dimensional import AnyDimensionalModel as AnyDimensionalModel
from ._architectures import ARCHITECTURE_NAMES as ARCHITECTURE_NAMES
from ._architectures import ARCHITECTURES as ARCHITECTURES
from ._architectures import find_architecture as find_architecture
from ._architectures import register_architecture as register_architecture
from ._build import build_model as build_model
from ._build import outline as outline
from ._convert import convert_certified as convert_certified
from ._convert import to_dimension as to_dimension
from ._convert import transfer_certified as transfer_certified
from ._design import ModelDesign as ModelDesign
from ._export import EXPORT_TOLERANCE as EXPORT_TOLERANCE
from ._export import array_function as array_function
from ._export import export_dense as export_dense
from ._export import export_stablehlo as export_stablehlo
from ._file import LoadedModel as LoadedModel
from ._file import from_record as from_record
from ._file import load_model as load_model
from ._file import save_model as save_model
from ._file import to_record as to_record
from ._import_eqx import fill_from_eqx as fill_from_eqx
from ._import_eqx import import_eqx as import_eqx
from ._inspect import count_params as count_params
from ._inspect import get_filter_sum as get_filter_sum
from ._inspect import get_scaled_filters as get_scaled_filters
from ._module import MultiImageModule as MultiImageModule
from ._named_arrays import layer_table as layer_table
from ._named_arrays import model_banks as model_banks
from ._named_arrays import named_arrays as named_arrays
from ._named_arrays import named_map as named_map
from ._named_arrays import with_arrays as with_arrays
from ._network import ArchitectureName as ArchitectureName
from ._network import Network as Network
from ._network import signature_of as signature_of
from ._settings import NetworkSettings as NetworkSettings
from ._spec import ModelSpec as ModelSpec
from ._spec_from_words import spec_from_words as spec_from_words
from ._wall_padding import DEFAULT_PADDING as DEFAULT_PADDING
from ._wall_padding import padding_along as padding_along
from ._wall_padding import padding_option_along as padding_option_along
from ._wrappers import GroupAverage as GroupAverage
from ._wrappers import LastStepIdentity as LastStepIdentity
from ._wrappers import ModelWrapper as ModelWrapper
from .arch import DilResNet as DilResNet
from .arch import ResNet as ResNet
from .arch import SimpleConvSeries as SimpleConvSeries
from .arch import UNet as UNet
from .blocks import ACTIVATION_REGISTRY as ACTIVATION_REGISTRY
from .blocks import ConvBlock as ConvBlock
from .blocks import Frame as Frame
from .blocks import handle_activation as handle_activation
from .blocks import make_conv as make_conv
from .blocks import register_activation as register_activation
from .verify import LIFT_TOLERANCE as LIFT_TOLERANCE
from .verify import ROUNDED_LIFT_TOLERANCE as ROUNDED_LIFT_TOLERANCE
from .verify import STAGES as STAGES
from .verify import Promises as Promises
from .verify import Verification as Verification
from .verify import VerificationEffort as VerificationEffort
from .verify import certificate_between as certificate_between
from .verify import default_side as default_side
from .verify import equivariance_defect as equivariance_defect
from .verify import load_pair as load_pair
from .verify import promises_between as promises_between
from .verify import promises_of as promises_of
from .verify import verification_effort as verification_effort
from .verify import verify_records as verify_records
from .verify import verify_transfer as verify_transfer
from .verify import with_condition as with_condition

if not TYPE_CHECKING:
    __getattr__ = _refuse_in("ginjax.models")
