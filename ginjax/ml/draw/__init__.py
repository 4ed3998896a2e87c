"""Pictures of trainings, forecasts and transfers, each as a figure and as a file."""

from ginjax.ml.draw._animation import animation_figure as animation_figure
from ginjax.ml.draw._animation import draw_animation as draw_animation
from ginjax.ml.draw._compared_curves import compared_curves_figure as compared_curves_figure
from ginjax.ml.draw._compared_curves import draw_compared_curves as draw_compared_curves
from ginjax.ml.draw._errors import draw_errors as draw_errors
from ginjax.ml.draw._errors import errors_figure as errors_figure
from ginjax.ml.draw._forecast import draw_forecast as draw_forecast
from ginjax.ml.draw._forecast import forecast_figure as forecast_figure
from ginjax.ml.draw._pictures import PICTURES as PICTURES
from ginjax.ml.draw._pictures import Picture as Picture
from ginjax.ml.draw._pictures import draw_picture as draw_picture
from ginjax.ml.draw._pictures import picture_figure as picture_figure
from ginjax.ml.draw._pictures import register_picture as register_picture
from ginjax.ml.draw._save import PictureFormat as PictureFormat
from ginjax.ml.draw._save import picture_format as picture_format
from ginjax.ml.draw._save import save_picture as save_picture
from ginjax.ml.draw._spectra import draw_spectra as draw_spectra
from ginjax.ml.draw._spectra import spectra_figure as spectra_figure
from ginjax.ml.draw._style import Width as Width
from ginjax.ml.draw._training_curve import curve_figure as curve_figure
from ginjax.ml.draw._training_curve import draw_curve as draw_curve
from ginjax.ml.draw._transfer_curve import draw_transfer_curve as draw_transfer_curve
from ginjax.ml.draw._transfer_curve import transfer_curve_figure as transfer_curve_figure
from ginjax.ml.draw._zero_shot import draw_transfer as draw_transfer
from ginjax.ml.draw._zero_shot import transfer_figure as transfer_figure
