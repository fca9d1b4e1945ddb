#!/usr/bin/env python3
"""hostile_reporter.py SOCKET: speak the report protocol wrong in every way; exitguard must close
each such connection, and only that one. What may come late by itself (about a stream that the
guard has forgotten) may also be ignored. Ends with 0 if all was so."""
import random
import socket
import struct
import sys

MAGIC, VERSION, RECORD = 0x45584754, 1, 56
OPEN, DEST, OUTCOME, CLOSED, POLICY, VERDICT = 1, 2, 3, 4, 5, 65


def hello(magic=MAGIC, version=VERSION, size=RECORD, features=0, enforce=0):
    return struct.pack('=IHHII', magic, version, size, features, enforce)


def record(kind, family=0, code=0, reason=0, flags=0, bits=0, port=0, port_to=0, zero=0, ms=0,
           stream=0, circuit=0, addr=bytes(16), value=0):
    return struct.pack('=BBBBBBHHHIQQ16sQ', kind, family, code, reason, flags, bits, port, port_to,
                       zero, ms, stream, circuit, addr, value)


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(2)
    s.connect(path)
    return s


def is_closed(s):
    """True once the other side has closed; its answers before that are read away."""
    try:
        while True:
            if not s.recv(65536):
                return True
    except ConnectionError:
        return True
    except socket.timeout:
        return False


V4 = bytes([198, 19, 1, 1]) + bytes(12)
GOOD = record(OPEN, family=4, port=443, stream=1, circuit=1, addr=V4)
noise = random.Random(7)

HELLOS = [
    ('nothing but noise', noise.randbytes(300)),
    ('one byte', b'x'),
    ('another magic', hello(magic=1)),
    ('another version', hello(version=99)),
    ('another record size', hello(size=57)),
    ('a hello with a tail', hello() + b'x'),
    ('a record before the hello', GOOD),
]
RECORDS = [
    ('an unknown type', record(99, stream=1)),
    ('type 0', record(0)),
    ('half a record', GOOD[:30]),
    ('a record and a half', GOOD + GOOD[:28]),
    ('a record only exitguard may send', record(VERDICT, code=1, stream=1)),
    ('a family that is none', record(OPEN, family=9, port=443, stream=1, circuit=1)),
    ('an outcome that is none', GOOD + record(OUTCOME, code=77, stream=1)),
    ('port 0', record(OPEN, family=4, port=0, stream=1, circuit=1, addr=V4)),
    ('too many records', GOOD * 2000),
    ('noise of the right size', noise.randbytes(RECORD)),
]
MAY_BE_IGNORED = [
    ('an outcome of an unknown stream', record(OUTCOME, code=1, stream=12345)),
    ('a destination without an open', record(DEST, family=4, port=443, stream=77, circuit=1, addr=V4)),
    ('the same stream twice', GOOD + GOOD),
    ('closed and used again', GOOD + record(CLOSED, stream=1) + record(CLOSED, stream=1)),
]


def main():
    path, failed = sys.argv[1], 0
    for what, packet in HELLOS:
        s = connect(path)
        s.send(packet)
        good = is_closed(s)
        failed += not good
        print('%s: %s' % ('closed' if good else 'NOT CLOSED', what))
        s.close()
    for what, packet in RECORDS + MAY_BE_IGNORED:
        s = connect(path)
        s.send(hello())
        s.recv(100)
        try:
            s.send(packet)
        except OSError as e:
            print('not sent: %s: %s' % (what, e))
            s.close()
            continue
        good = is_closed(s)
        if not good and (what, packet) in MAY_BE_IGNORED:
            print('ignored: %s' % what)
        else:
            failed += not good
            print('%s: %s' % ('closed' if good else 'NOT CLOSED', what))
        s.close()
    for _ in range(50):  # connections left half said
        connect(path).close()
    s = connect(path)
    s.send(hello())
    s.recv(100)
    s.send(record(OPEN, family=4, port=443, stream=5, circuit=5, addr=V4))
    answer = s.recv(4096)
    good = len(answer) >= RECORD and any(
        answer[i] == VERDICT for i in range(0, len(answer), RECORD))
    print('an honest reporter afterwards: %s' % ('answered' if good else 'NOT ANSWERED'))
    return 1 if failed or not good else 0


if __name__ == '__main__':
    sys.exit(main())
