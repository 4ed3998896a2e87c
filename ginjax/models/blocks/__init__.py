"""What networks are built of: convolution blocks, nonlinearities, the edges of a network."""

from ._activation import ACTIVATION_REGISTRY as ACTIVATION_REGISTRY
from ._activation import Activation as Activation
from ._activation import activation_name as activation_name
from ._activation import handle_activation as handle_activation
from ._activation import register_activation as register_activation
from ._conv_block import ConvBlock as ConvBlock
from ._edges import bank_for as bank_for
from ._edges import check_count as check_count
from ._edges import enter as enter
from ._edges import keys_from as keys_from
from ._edges import layer_signatures as layer_signatures
from ._edges import leave as leave
from ._edges import run as run
from ._make_conv import RepeatConv as RepeatConv
from ._make_conv import make_conv as make_conv
from ._residual import ResidualNet as ResidualNet
from ._residual import block_maker as block_maker
from ._residual import make_decoder as make_decoder
from ._residual import make_encoder as make_encoder
