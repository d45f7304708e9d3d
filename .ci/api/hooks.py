"""What schemathesis can't know by itself about this API."""

import re
import uuid

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    """A log as it is: whatever the bytes are, they are taken."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """A key belongs to one request, and the generator likes to use its favorites again and again."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[!#-~]{1,200}", key):
        case.headers["Idempotency-Key"] = f"{key}-{uuid.uuid4()}"
