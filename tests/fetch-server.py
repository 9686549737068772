"""A web server on this machine with the faults of the world: tests/bin-src/fetch.t.sh.

    python3 tests/fetch-server.py FOLDER PORT_FILE LOG [CERTIFICATE KEY]

The first part of the path says what happens to the file of FOLDER that the rest names:
  ok        ranges, lengths, all as it should be        norange   always the whole file, status 200
  cut       ends the connection half way, twice         stall     sends half, then nothing, once
  cutall    ends it half way, always, knows no ranges
  lie       tells one byte more than it sends           short     tells and sends one byte less
  long      chunked, one byte more than the file        open      no length, ends half way, once
  wrong     the right length, one other byte            shift     answers with another range
  s503      twice 503, then ok                          s429      once 429 with Retry-After: 1
  s404 s403 s500                                        drip      1 MB/s
  hang      takes the request and never answers         to        redirects to ok
  tofile    redirects to file:///etc/passwd             page      an error page with status 200
As a proxy it serves GET http://any.host/ok/NAME and refuses CONNECT. LOG gets a line
"METHOD PATH RANGE" per request."""
import http.server
import os
import ssl
import sys
import threading
import time
import urllib.parse

folder, port_file, log_file = sys.argv[1:4]
lock = threading.Lock()
seen = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        with lock:
            key = self.path
            seen[key] = seen.get(key, 0) + 1
            with open(log_file, "a") as f:
                f.write("%s %s %s\n" % (self.command, self.path, self.headers.get("Range", "-")))
            return seen[key]

    def do_CONNECT(self):
        self.note()
        self.fail(403)

    def fail(self, status, **headers):
        body = b"no\n"
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def do_GET(self):
        n = self.note()
        path = urllib.parse.urlsplit(self.path).path
        _, kind, name = path.split("/", 2)
        file = os.path.join(folder, urllib.parse.unquote(name))
        if kind in ("s404", "s403", "s500"):
            return self.fail(int(kind[1:]))
        if kind == "s503" and n <= 2:
            return self.fail(503)
        if kind == "s429" and n <= 1:
            return self.fail(429, Retry_After="1")
        if kind == "hang":
            time.sleep(60)
            return self.drop()
        if kind == "to":
            return self.fail(302, Location="/ok/" + name)
        if kind == "tofile":
            return self.fail(302, Location="file:///etc/passwd")
        if kind == "page":
            return self.fail(200)
        if not os.path.isfile(file):
            return self.fail(404)
        self.give(kind, open(file, "rb").read(), n)

    def give(self, kind, data, n):
        total, first = len(data), 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and kind not in ("norange", "cutall", "long", "open"):
            first = int(asked[6:].split("-")[0])
            if first >= total:
                return self.fail(416, Content_Range="bytes */%d" % total)
            if kind == "shift":
                first += 1
            self.send_response(206)
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, total - 1, total))
        else:
            self.send_response(200)
        body = data[first:]
        if kind == "wrong":
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind == "short":
            body = body[:-1]
        if kind == "long":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            body += b"!"
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        if kind == "open":
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if n == 1 else body)
            return self.drop()
        self.send_header("Content-Length", str(len(body) + (kind == "lie")))
        self.end_headers()
        if kind == "cutall" or n <= {"cut": 2, "stall": 1}.get(kind, 0):
            self.wfile.write(body[: len(body) // 2])
            if kind == "stall":
                self.wfile.flush()
                time.sleep(20)
            return self.drop()
        if kind == "drip":
            for i in range(0, len(body), 10000):
                self.wfile.write(body[i : i + 10000])
                time.sleep(0.01)
            return
        self.wfile.write(body)
        if kind == "lie":
            self.drop()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away is part of the tests


def end_with_parent(parent=os.getppid()):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 5:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".part", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(port_file + ".part", port_file)
server.serve_forever()
