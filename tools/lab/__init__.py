# SPDX-License-Identifier: MIT
"""What tools/run, tools/kunit and tools/test share.  Python's standard library only."""
