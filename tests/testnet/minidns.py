#!/usr/bin/env python3
"""minidns.py BINDIP PORT TARGET: a small UDP name server for the private network.

Any name has address TARGET, but for names beginning with
  nx            no such name
  servfail      server failure
  slow          never an answer
  v6            only an IPv6 address (::1)
  aN.           127.0.9.N (loopback)
  hN.           198.19.(N / 256).(N % 256): one of the many sites
  ip-A-B-C-D.   that address
  ttlN.         TARGET, to be kept for N seconds
A reverse look-up gives ptr.test."""
import re
import socket
import struct
import sys

A, PTR, AAAA = 1, 12, 28
NXDOMAIN, SERVFAIL = 3, 2


def read_name(query, at):
    labels = []
    while query[at]:
        length = query[at]
        labels.append(query[at + 1:at + 1 + length].decode('latin1'))
        at += length + 1
    return '.'.join(labels).lower(), at + 1


def record(rtype, ttl, data):
    return b'\xc0\x0c' + struct.pack('>HHIH', rtype, 1, ttl, len(data)) + data


def address_of(name, target):
    m = re.match(r'a(\d{1,3})\.', name)
    if m:
        return '127.0.9.%d' % (int(m.group(1)) % 256)
    m = re.match(r'h(\d{1,5})\.', name)
    if m:
        n = int(m.group(1)) % 65536
        return '198.19.%d.%d' % (n // 256, n % 256)
    m = re.match(r'ip-(\d+)-(\d+)-(\d+)-(\d+)\.', name)
    if m:
        return '.'.join(m.groups())
    return target


def answer(query, target):
    name, at = read_name(query, 12)
    qtype, = struct.unpack('>H', query[at:at + 2])
    question = query[12:at + 4]
    rcode, answers, ttl = 0, [], 60
    if name.startswith('slow'):
        return None
    if name.startswith('nx'):
        rcode = NXDOMAIN
    elif name.startswith('servfail'):
        rcode = SERVFAIL
    else:
        m = re.match(r'ttl(\d{1,6})\.', name)
        if m:
            ttl = int(m.group(1))
        v6 = name.startswith('v6')
        if qtype == A and not v6:
            answers.append(record(A, ttl, socket.inet_aton(address_of(name, target))))
        if qtype == AAAA and v6:
            answers.append(record(AAAA, ttl, socket.inet_pton(socket.AF_INET6, '::1')))
        if qtype == PTR:
            answers.append(record(PTR, ttl, b'\x03ptr\x04test\x00'))
    flags = 0x8580 | rcode  # an answer, authoritative, recursion as asked
    head = query[:2] + struct.pack('>HHHHH', flags, 1, len(answers), 0, 0)
    return head + question + b''.join(answers)


def main():
    bind, port, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((bind, port))
    while True:
        query, peer = server.recvfrom(4096)
        try:
            reply = answer(query, target)
        except (IndexError, struct.error, OSError):
            continue
        if reply:
            server.sendto(reply, peer)


if __name__ == '__main__':
    main()
