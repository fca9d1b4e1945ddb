#!/usr/bin/env python3
"""path.py CLIENT RELAY,RELAY,RELAY [HOST PATH SHA256]: build a circuit over these relays (nickname
or fingerprint) by a stock client's control port. With HOST: ask for PATH first over this circuit;
if its exit turns the stream away, the client goes on as it does by itself. Says what happened, and
ends with 0 if the circuit was built, and the download was right."""
import base64
import hashlib
import re
import socket
import sys
import time


class Control:
    def __init__(self, address):
        self.file = socket.create_connection((address, 9051), 20).makefile('rwb')
        self.events = []
        self.ask('AUTHENTICATE')

    def line(self):
        text = self.file.readline().decode('latin1')
        if not text:
            raise EOFError('control port closed')
        return text.rstrip('\r\n')

    def ask(self, command):
        self.file.write(command.encode() + b'\r\n')
        self.file.flush()
        lines = []
        while True:
            text = self.line()
            if text.startswith('650'):
                self.events.append(text)
                continue
            lines.append(text)
            if text[3:4] == '+':
                while self.line() != '.':
                    pass
            elif text[3:4] == ' ':
                if not text.startswith('250'):
                    raise ValueError('%s: %s' % (command, text))
                return lines

    def wait_event(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while self.events:
                m = re.search(pattern, self.events.pop(0))
                if m:
                    return m
            self.events.append(self.line())
        raise TimeoutError(pattern)


def fingerprint_of(control, nickname):
    control.file.write(b'GETINFO ns/name/%s\r\n' % nickname.encode())
    control.file.flush()
    found = None
    while True:
        text = control.line()
        if text.startswith('r '):
            found = base64.b64decode(text.split()[2] + '=').hex().upper()
        if text.startswith('250 OK'):
            return found


def download(client, host, path):
    """A SOCKS request, as a generator: first sent, then, once attached, answered."""
    sock = socket.create_connection((client, 9050), 60)
    sock.sendall(b'\x05\x01\x00')
    sock.recv(2)
    sock.sendall(b'\x05\x01\x00\x03' + bytes([len(host)]) + host.encode() + b'\x00\x50')
    yield None
    if sock.recv(10)[1:2] != b'\x00':
        raise EOFError('the stream was not opened')
    sock.sendall(b'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' % (path.encode(), host.encode()))
    answer = b''
    while True:
        chunk = sock.recv(65536)
        if not chunk:
            break
        answer += chunk
    yield answer.partition(b'\r\n\r\n')[2]


def main():
    client, relays = sys.argv[1:3]
    control = Control(client)
    control.ask('SETEVENTS CIRC STREAM')
    path = ','.join('$' + (r if len(r) == 40 else fingerprint_of(control, r))
                    for r in relays.split(','))
    circuit = control.ask('EXTENDCIRCUIT 0 ' + path)[0].split()[2]
    m = control.wait_event(r'CIRC %s (BUILT|FAILED|CLOSED)(.*)' % circuit)
    print('circuit %s: %s' % (relays, m.group(1)))
    if m.group(1) != 'BUILT' or len(sys.argv) < 6:
        return 0 if m.group(1) == 'BUILT' else 1
    host, file, want = sys.argv[3:6]
    control.ask('SETCONF __LeaveStreamsUnattached=1')
    try:
        steps = download(client, host, file)
        next(steps)
        stream = control.wait_event(r'STREAM (\d+) NEW 0 %s' % re.escape(host)).group(1)
    finally:
        control.ask('SETCONF __LeaveStreamsUnattached=0')
    control.ask('ATTACHSTREAM %s %s' % (stream, circuit))
    body = next(steps)
    control.ask('GETINFO version')  # so that all events are in
    for event in control.events:
        m = re.search(r'STREAM %s (DETACHED|REMAP|SUCCEEDED) (\d+).*?((REMOTE_REASON=\w+)|$)' % stream,
                      event)
        if m and m.group(1) != 'REMAP':
            where = 'this circuit' if m.group(2) == circuit else 'another circuit'
            print('%s on %s %s' % (m.group(1).lower(), where, m.group(3)))
    print('%d bytes' % len(body))
    return 0 if hashlib.sha256(body).hexdigest() == want else 1


if __name__ == '__main__':
    sys.exit(main())
