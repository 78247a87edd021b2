# SPDX-License-Identifier: MIT
"""What tools/run, tools/test and others share.  Python's standard library only."""
