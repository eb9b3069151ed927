"""A TLS server and its client in one process: network.py CERTIFICATE KEY."""
import http.server
import ssl
import sys
import threading
import urllib.error
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"you asked for {self.path}".encode())

    def log_message(self, *arguments):
        pass


certificate, key = sys.argv[1:]
server = http.server.HTTPServer(("localhost", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"https://localhost:{server.server_port}/page"
trusting = ssl.create_default_context(cafile=certificate)
with urllib.request.urlopen(url, context=trusting, timeout=20) as answer:
    print(answer.status, answer.read())
try:
    urllib.request.urlopen(url, context=ssl.create_default_context(), timeout=20)
except urllib.error.URLError as error:
    print(error.reason.verify_message)
print(ssl.OPENSSL_VERSION, len(trusting.get_ca_certs()))
server.shutdown()
