"""The architectures, one in each file."""

from ._dil_resnet import DilResNet as DilResNet
from ._resnet import ResNet as ResNet
from ._series import SimpleConvSeries as SimpleConvSeries
from ._unet import UNet as UNet
