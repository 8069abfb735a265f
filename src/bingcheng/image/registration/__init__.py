"""Two exams of one patient laid over each other: a rigid motion, then a deformation, with how far to believe them."""

from bingcheng.image.registration.register import RegistrationSettings, register
from bingcheng.image.registration.registration import Registration

__all__ = ["Registration", "RegistrationSettings", "register"]
