#!/usr/bin/env python3
"""knock.py SOURCE ADDRESS PORT WANTED: try one connection from SOURCE. WANTED, and what is told:
connected, refused (RST), prohibited (ICMP communication administratively prohibited), silent."""
import errno
import select
import socket
import sys
import time

IP_RECVERR = 11


def knock(source, address, port, seconds=3):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.bind((source, 0))
    s.setblocking(False)
    start = time.monotonic()
    code = s.connect_ex((address, port))
    if code == errno.EINPROGRESS:
        select.select([], [s], [], seconds)
        code = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            try:
                s.getpeername()
            except OSError:
                code = errno.ETIMEDOUT
    took = time.monotonic() - start
    names = {0: 'connected', errno.ECONNREFUSED: 'refused', errno.ETIMEDOUT: 'silent',
             errno.EHOSTUNREACH: 'prohibited', errno.EACCES: 'prohibited',
             errno.EPERM: 'prohibited'}
    return names.get(code, errno.errorcode.get(code, str(code))), took


def main():
    source, address, port, wanted = sys.argv[1:5]
    got, took = knock(source, address, int(port))
    print('%s:%s from %s: %s after %.2f s' % (address, port, source, got, took))
    return 0 if got == wanted else 1


if __name__ == '__main__':
    sys.exit(main())
