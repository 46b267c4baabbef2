# SPDX-License-Identifier: Apache-2.0
"""Stands for DeepEP where there is no GPU."""

from deepxtrace.ep import Buffer, EventOverlap

__version__ = "1.2.1"
__all__ = ["Buffer", "EventOverlap"]
