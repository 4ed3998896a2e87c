"""The parts of networks: convolution blocks, nonlinearities, and the settings that the layers of a network share."""

from ._activation import ACTIVATION_REGISTRY as ACTIVATION_REGISTRY
from ._activation import Activation as Activation
from ._activation import activation_name as activation_name
from ._activation import handle_activation as handle_activation
from ._activation import register_activation as register_activation
from ._conv_block import ConvBlock as ConvBlock
from ._edges import bank_for as bank_for
from ._edges import keys_from as keys_from
from ._edges import run as run
from ._frame import Frame as Frame
from ._make_conv import MAX_KERNEL as MAX_KERNEL
from ._make_conv import Convolution as Convolution
from ._make_conv import RepeatConv as RepeatConv
from ._make_conv import make_conv as make_conv
from ._padding_option import padding_option as padding_option
from ._plain_conv import PlainConv as PlainConv
from ._product_bank import PRODUCT_KEYS as PRODUCT_KEYS
from ._product_bank import Nonlinearity as Nonlinearity
from ._product_bank import check_nonlinearity as check_nonlinearity
from ._product_bank import product_bank as product_bank
from ._product_bank import product_recipe as product_recipe
