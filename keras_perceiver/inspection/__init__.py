"""What a model is, and whether it is ready for a long training."""

from keras_perceiver.inspection.check import check
from keras_perceiver.inspection.describe import Description, describe
from keras_perceiver.inspection.report import Finding, Report

__all__ = ["Description", "Finding", "Report", "check", "describe"]
