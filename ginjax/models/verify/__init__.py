"""Verification of converted networks by the lift test and the equivariance defect."""

from ._effort import VerificationEffort as VerificationEffort
from ._effort import verification_effort as verification_effort
from ._equivariance import equivariance_defect as equivariance_defect
from ._lift_test import STAGES as STAGES
from ._lift_test import default_side as default_side
from ._lift_test import load_pair as load_pair
from ._lift_test import verify_records as verify_records
from ._lift_test import verify_transfer as verify_transfer
from ._lift_test import with_condition as with_condition
from ._promises import Promises as Promises
from ._promises import certificate_between as certificate_between
from ._promises import changed_since as changed_since
from ._promises import promises_between as promises_between
from ._promises import promises_of as promises_of
from ._shared_fields import on_shared_fields as on_shared_fields
from ._shared_fields import shared_inputs as shared_inputs
from ._verification import LIFT_TOLERANCE as LIFT_TOLERANCE
from ._verification import ROUNDED_LIFT_TOLERANCE as ROUNDED_LIFT_TOLERANCE
from ._verification import Verification as Verification
