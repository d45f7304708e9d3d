"""Takes webhooks on loopback and checks each with the public library: 204 when the signature holds, 401 when not.

`webhook_verify.py PORT LOG NAME=SECRET...`: a POST to /NAME is checked with that secret, and becomes one line of LOG.
"""

import base64
import http.server
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        verifier = self.server.verifiers.get(self.path.strip("/"))
        if verifier is None:
            return self.answer(404, {"error": "no such receiver"})
        error = None
        try:
            verifier.verify(body, headers)
        except WebhookVerificationError as refusal:
            error = str(refusal)
        except ValueError as refusal:
            # Newer releases of the library parse the body after the signature was found right.
            error = f"body: {refusal}"
        self.server.log.write(json.dumps({
            "path": self.path,
            "verified": error is None,
            "error": error,
            "headers": headers,
            "body": base64.b64encode(body).decode(),
        }) + "\n")
        self.server.log.flush()
        self.answer(204) if error is None else self.answer(401, {"error": error})

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if data:
            self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main():
    port, log, *secrets = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
    server.log = open(log, "a", encoding="utf-8")
    server.verifiers = {name: Webhook(secret) for name, secret in (pair.split("=", 1) for pair in secrets)}
    server.serve_forever()


main()
