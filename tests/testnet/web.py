#!/usr/bin/env python3
"""web.py ROOT ADDRESS:PORT...: the private network's web server.

GET gives the files under ROOT, and /stats what was served so far as JSON. PUT and POST take an
upload of up to 64 MiB, throw it away and answer its length and SHA-256."""
import hashlib
import http.server
import json
import os
import sys
import threading

UPLOAD_MAX = 64 << 20
CHUNK = 65536
stats = {'gets': 0, 'uploads': 0, 'bytes_in': 0, 'connections': 0}
stats_lock = threading.Lock()


def count(**more):
    with stats_lock:
        for key, value in more.items():
            stats[key] += value


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 60
    root = '.'

    def setup(self):
        super().setup()
        count(connections=1)

    def log_message(self, *args):
        pass

    def reply(self, status, body, kind='application/json'):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.split('?')[0].lstrip('/') or 'hello.txt'
        if name == 'stats':
            with stats_lock:
                return self.reply(200, json.dumps(stats).encode() + b'\n')
        path = os.path.join(self.root, name)
        if '..' in name or not os.path.isfile(path):
            return self.reply(404, b'{"error": "not here"}\n')
        count(gets=1)
        with open(path, 'rb') as f:
            self.send_response(200)
            self.send_header('Content-Type', 'application/octet-stream')
            self.send_header('Content-Length', str(os.fstat(f.fileno()).st_size))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(f)

    def do_POST(self):
        length = int(self.headers.get('Content-Length') or -1)
        if length < 0 or length > UPLOAD_MAX:
            self.close_connection = True
            return self.reply(413, b'{"error": "length"}\n')
        digest, left = hashlib.sha256(), length
        while left > 0:
            chunk = self.rfile.read(min(CHUNK, left))
            if not chunk:
                self.close_connection = True
                return None
            digest.update(chunk)
            left -= len(chunk)
        count(uploads=1, bytes_in=length)
        body = json.dumps({'length': length, 'sha256': digest.hexdigest()})
        return self.reply(201, body.encode() + b'\n')

    do_PUT = do_POST


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    Handler.root = sys.argv[1]
    servers = []
    for where in sys.argv[2:]:
        address, port = where.rsplit(':', 1)
        servers.append(Server((address, int(port)), Handler))
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == '__main__':
    main()
