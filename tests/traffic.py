#!/usr/bin/env python3
"""traffic.py: what people and scanners do through a tor client's SOCKS port.

  traffic.py scan     CLIENT [--net N] [--port P] [--rate R] [--seconds S] [--grace S] [--seed N]
  traffic.py download CLIENT URL [--count N] [--at-once N] [--sha256 HEX] [--seconds S] [--pause S]
  traffic.py upload   CLIENT URL [--files N] [--at-once N] [--size BYTES]

CLIENT is the client's address: socks on 9050, control on 9051. Each prints one JSON object with
what it saw. scan listens to the client's control port too, so that it knows how each attempt
ended at the exit: refused (END MISC), let out (connected, refused by the destination, timed out),
or never sent. What happened after the first --grace seconds is counted apart. download and
upload end with 1 if anything failed."""
import argparse
import asyncio
import hashlib
import ipaddress
import json
import random
import struct
import sys
import time
import urllib.parse



class SocksError(Exception):
    def __init__(self, code):
        super().__init__('socks %d' % code)
        self.code = code


async def socks_connect(client, host, port):
    reader, writer = await asyncio.open_connection(client, 9050)
    try:
        writer.write(b'\x05\x01\x00')
        if await reader.readexactly(2) != b'\x05\x00':
            raise SocksError(255)
        try:
            where = b'\x01' + ipaddress.IPv4Address(host).packed
        except ValueError:
            where = b'\x03' + bytes([len(host)]) + host.encode()
        writer.write(b'\x05\x01\x00' + where + struct.pack('>H', port))
        head = await reader.readexactly(10)
        if head[1] != 0:
            raise SocksError(head[1])
        return reader, writer
    except BaseException:
        writer.close()
        raise


# --- http

async def http(client, url, body=None):
    u = urllib.parse.urlsplit(url)
    reader, writer = await socks_connect(client, u.hostname, u.port or 80)
    try:
        method = 'GET' if body is None else 'PUT'
        head = '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' % (
            method, u.path or '/', u.hostname)
        if body is not None:
            head += 'Content-Length: %d\r\n' % len(body)
        writer.write(head.encode() + b'\r\n' + (body or b''))
        await writer.drain()
        answer = await reader.readuntil(b'\r\n\r\n')
        status = int(answer.split(b' ')[1])
        length = None
        for line in answer.split(b'\r\n'):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        digest, size, kept = hashlib.sha256(), 0, b''
        while length is None or size < length:
            chunk = await reader.read(65536)
            if not chunk:
                break
            digest.update(chunk)
            size += len(chunk)
            if len(kept) < 4096:
                kept += chunk
        if length is not None and size != length:
            raise EOFError('%d of %d bytes' % (size, length))
        return status, digest.hexdigest(), size, kept
    finally:
        writer.close()


async def timed_http(results, wanted, *args):
    start = time.monotonic()
    try:
        status, digest, size, kept = await asyncio.wait_for(http(*args), 180)
        fault = wanted(status, digest, size, kept)
    except (OSError, EOFError, SocksError, asyncio.TimeoutError, ValueError) as e:
        fault, size = '%s: %s' % (type(e).__name__, e), 0
    results.append((time.monotonic() - start, size, fault))


def summary(results, start):
    took = sorted(r[0] for r in results) or [0]
    seconds = time.monotonic() - start
    faults = [r[2] for r in results if r[2]]
    return {'done': len(results) - len(faults), 'failed': len(faults), 'faults': faults[:5],
            'seconds': round(seconds, 2),
            'bytes_a_second': int(sum(r[1] for r in results) / seconds) if seconds else 0,
            'median_s': round(took[len(took) // 2], 3), 'slowest_s': round(took[-1], 3)}


async def run_pool(jobs, at_once):
    async def worker():
        while jobs:
            await jobs.pop()()
    await asyncio.gather(*(worker() for _ in range(at_once)))


async def download(args):
    results, start = [], time.monotonic()

    def wanted(status, digest, size, kept):
        if status != 200:
            return 'status %d' % status
        if args.sha256 and digest != args.sha256:
            return 'wrong bytes'
        return None

    async def again():
        while time.monotonic() - start < args.seconds:
            await timed_http(results, wanted, args.client, args.url)
            await asyncio.sleep(args.pause)

    async def once():
        await timed_http(results, wanted, args.client, args.url)
    if args.seconds:
        await asyncio.gather(*(again() for _ in range(args.at_once)))
    else:
        await run_pool([once] * args.count, args.at_once)
    out = summary(results, start)
    print(json.dumps(out))
    return 1 if out['failed'] or not out['done'] else 0


async def upload(args):
    results, start, jobs = [], time.monotonic(), []

    def job(i):
        body = hashlib.sha256(b'%d' % i).digest() * (args.size // 32)
        want = hashlib.sha256(body).hexdigest()

        def wanted(status, digest, size, kept):
            if status != 201 or json.loads(kept).get('sha256') != want:
                return 'status %d: %r' % (status, kept[:80])
            return None
        return lambda: timed_http(results, wanted, args.client, args.url + '/%d' % i, body)
    jobs = [job(i) for i in range(args.files)]
    await run_pool(jobs, args.at_once)
    out = summary(results, start)
    print(json.dumps(out))
    return 1 if out['failed'] or not out['done'] else 0


# --- scan

class Attempts:
    """Stream events of the control port, counted by attempt at an exit (SENTCONNECT)."""

    def __init__(self, grace):
        self.start, self.grace = time.monotonic(), grace
        self.open = {}  # stream id: time its request went to an exit
        self.count = {'first': {}, 'after': {}}
        self.reasons, self.ended = {}, set()

    def add(self, when, what):
        phase = 'first' if when - self.start < self.grace else 'after'
        self.count[phase][what] = self.count[phase].get(what, 0) + 1

    def event(self, line):
        words = line.split()
        if len(words) < 4 or words[0] != '650' or words[1] != 'STREAM':
            return
        ident, status = words[2], words[3]
        values = dict(w.split('=', 1) for w in words[4:] if '=' in w)
        if status in ('SENTCONNECT', 'SENTRESOLVE'):
            self.open[ident] = time.monotonic()
        elif status == 'SUCCEEDED' and ident in self.open:
            self.add(self.open.pop(ident), 'let out')
        elif status in ('DETACHED', 'FAILED', 'CLOSED') and ident in self.open:
            when = self.open.pop(ident)
            reason = values.get('REASON', 'none')
            if reason == 'END':
                reason = values.get('REMOTE_REASON', 'none')
                self.add(when, 'refused' if reason == 'MISC' else 'let out')
            elif reason == 'TIMEOUT':
                self.add(when, 'let out')
            else:
                self.add(when, 'lost')
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        elif status in ('FAILED', 'CLOSED') and ident not in self.ended:
            reason = 'not sent: ' + values.get('REASON', 'none')
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if status in ('FAILED', 'CLOSED', 'DETACHED', 'SUCCEEDED'):
            self.ended.add(ident)

    def finish(self):
        for when in self.open.values():
            self.add(when, 'let out' if time.monotonic() - when > 3 else 'open')


async def listen(client, attempts):
    reader, writer = await asyncio.open_connection(client, 9051, limit=1 << 20)
    writer.write(b'AUTHENTICATE\r\nSETEVENTS STREAM\r\n')
    while True:
        line = await reader.readline()
        if not line:
            return
        attempts.event(line.decode('latin1').strip())


async def scan(args):
    net = ipaddress.ip_network(args.net)
    chosen = random.Random(args.seed)
    attempts = Attempts(args.grace)
    listener = asyncio.create_task(listen(args.client, attempts))
    await asyncio.sleep(0.2)
    replies, running, skipped = {}, set(), 0

    async def probe(address):
        try:
            _, writer = await asyncio.wait_for(
                socks_connect(args.client, address, args.port), args.patience)
            writer.close()
            code = 'open'
        except SocksError as e:
            code = 'socks %d' % e.code
        except asyncio.TimeoutError:
            code = 'given up'
        except (OSError, EOFError):
            code = 'closed'
        replies[code] = replies.get(code, 0) + 1

    start, sent = time.monotonic(), 0
    while time.monotonic() - start < args.seconds:
        due = int((time.monotonic() - start) * args.rate)
        while sent < due:
            sent += 1
            if len(running) >= args.at_once:
                skipped += 1
                continue
            address = str(net[chosen.randrange(net.num_addresses)])
            task = asyncio.create_task(probe(address))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(0.02)
    if running:
        await asyncio.wait(running, timeout=5)
    for task in list(running):
        task.cancel()
    listener.cancel()
    attempts.finish()
    out = {'probes': sent - skipped, 'held_back': skipped, 'answers': replies,
           'reasons': attempts.reasons}
    for phase, count in attempts.count.items():
        refused, let_out = count.get('refused', 0), count.get('let out', 0)
        count['share_refused'] = round(refused / (refused + let_out), 4) if refused + let_out else None
        out[phase] = count
    print(json.dumps(out))
    return 0


def main():
    parser = argparse.ArgumentParser()
    sub = parser.add_subparsers(dest='command', required=True)
    p = sub.add_parser('scan')
    p.add_argument('client')
    p.add_argument('--net', default='198.18.0.0/16')
    p.add_argument('--port', type=int, default=22)
    p.add_argument('--rate', type=float, default=20)
    p.add_argument('--seconds', type=float, default=60)
    p.add_argument('--grace', type=float, default=60)
    p.add_argument('--patience', type=float, default=20)
    p.add_argument('--at-once', type=int, default=400)
    p.add_argument('--seed', type=int, default=1)
    p = sub.add_parser('download')
    p.add_argument('client')
    p.add_argument('url')
    p.add_argument('--count', type=int, default=1)
    p.add_argument('--at-once', type=int, default=1)
    p.add_argument('--sha256')
    p.add_argument('--seconds', type=float, default=0)
    p.add_argument('--pause', type=float, default=0.2)
    p = sub.add_parser('upload')
    p.add_argument('client')
    p.add_argument('url')
    p.add_argument('--files', type=int, default=300)
    p.add_argument('--at-once', type=int, default=6)
    p.add_argument('--size', type=int, default=65536)
    args = parser.parse_args()
    return asyncio.run({'scan': scan, 'download': download, 'upload': upload}[args.command](args))


if __name__ == '__main__':
    sys.exit(main())
