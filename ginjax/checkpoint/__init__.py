"""The files of this project: named arrays and a header, read without trust and written whole or not at all."""

from ._arrays import check_finite as check_finite
from ._arrays import weights_digest as weights_digest
from ._atomic import atomic_write as atomic_write
from ._atomic import check_target as check_target
from ._bank_file import key_name as key_name
from ._bank_file import read_banks as read_banks
from ._bank_file import write_banks as write_banks
from ._convert_file import DTYPES as DTYPES
from ._convert_file import Conversion as Conversion
from ._convert_file import check_certificate as check_certificate
from ._convert_file import convert_file as convert_file
from ._convert_file import convert_record as convert_record
from ._convert_file import inflate_record as inflate_record
from ._expect import expect as expect
from ._file import ModelFile as ModelFile
from ._file import read_file as read_file
from ._file import read_header as read_header
from ._file import write_file as write_file
from ._format import MAX_HEADER_BYTES as MAX_HEADER_BYTES
from ._format import SCHEMA as SCHEMA
from ._format import ArraySpec as ArraySpec
from ._limits import check_bank_size as check_bank_size
from ._model_file import ModelRecord as ModelRecord
from ._model_file import read_model as read_model
from ._model_file import write_model as write_model
