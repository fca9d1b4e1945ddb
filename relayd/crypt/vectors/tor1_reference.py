#!/usr/bin/env python3
"""Compute the relay cell vector of tor1_test.c: 51 cells sealed for the third of three hops, with
the keys and the payload stream that tor's own relay crypto test uses. Prints SHA-256 of all 51
encrypted bodies and the 20-byte digest of the last. Needs the openssl command for AES."""
import hashlib
import subprocess

K = [b"    'My public key is in this signed x509 object', said Tom assertively.      (N-PREG-VIRYL)",
     b"'Let's chart the pedal phlanges in the tomb', said Tom cryptographically.  (PELCG-GBR-TENCU)",
     b"     'Segmentation fault bugs don't _just happen_', said Tom seethingly.        (P-GUVAT-YL)"]
SEED = (b"'You mean to tell me that there's a version of Sha-3 with no limit on the output "
        b"length?', said Tom shakily.")
CELLS, BODY = 51, 509


def keystream(key):
    return subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", "00" * 16],
                          input=bytes(CELLS * BODY), capture_output=True, check=True).stdout


payload = hashlib.shake_256(SEED).digest(CELLS * 498)
running = hashlib.sha1(K[2][:20])
stream = b""
for i in range(CELLS):
    body = bytearray(b"\x02\0\0\0\x01\0\0\0\0\x01\xf2" + payload[498 * i:498 * (i + 1)])
    running.update(body)
    body[5:9] = running.digest()[:4]
    stream += body
for k in K:
    stream = bytes(a ^ b for a, b in zip(stream, keystream(k[40:56])))
print(hashlib.sha256(stream).hexdigest(), running.hexdigest())
