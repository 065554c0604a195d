# SPDX-License-Identifier: GPL-2.0
"""The protocol once more, in Python, from Documentation/protocol*.md: the module is
not compared with itself. noise has keys and hashes, messages what goes over the
wire, tlv what is inside of messages of version 1.
"""
