#!/usr/bin/env python3
"""Compute the CREATE_FAST vector of handshake_test.c: key material for X = 20 bytes of 0x11 and
Y = 20 bytes of 0x22, in the order KH, Df, Db, Kf, Kb."""
import hashlib

k0 = b"\x11" * 20 + b"\x22" * 20
print(b"".join(hashlib.sha1(k0 + bytes([i])).digest() for i in range(5))[:92].hex())
