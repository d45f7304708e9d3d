#!/usr/bin/env python3
"""Writes ../tests/fixtures/judged.jsonl: events with random faults, each with the verdict of the real protobuf class.

    venv/bin/python judge.py        (the same environment as make.py)

Each line is {"fault": what was done, "accepted": bool, "event": ..}. A linter over the same schema has to agree. Python's
JSON reader is laxer than the mapping in three places, where no events are made: bytes (it skips what is no base64),
true and false as numbers, and an empty list or text where a message is expected. The seed is fixed; the file comes out
the same every time.
"""
import json
import random
import sys
from pathlib import Path

import google.backstory as backstory
from google.protobuf import json_format

from make import WELL_KNOWN, camel, is_map, plain, value_of

EVENT = backstory.UDM.pb()
COUNT = 1200
DEEPEST = 4
rng = random.Random(20261122)


def text():
    return rng.choice(["web-07", "10.0.0.1", "a b", "", "ü€", "0", "null", "CRITICAL", 'q"uote', "line\nbreak"])


def whole(least, most, quoted):
    number = rng.choice([0, 1, 443, least, most, rng.randint(least, most)])
    return str(number) if quoted and rng.random() < 0.5 else number


def scalar(field):
    if field.enum_type:
        value = rng.choice(list(field.enum_type.values))
        return value.number if rng.random() < 0.1 else plain(value.name)
    kind = field.type
    if kind in (field.TYPE_INT32, field.TYPE_SINT32):
        return whole(-2**31, 2**31 - 1, False)
    if kind in (field.TYPE_INT64, field.TYPE_SINT64):
        return whole(-2**63, 2**63 - 1, True)
    if kind == field.TYPE_UINT32:
        return whole(0, 2**32 - 1, False)
    if kind == field.TYPE_UINT64:
        return whole(0, 2**64 - 1, True)
    if kind in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return rng.choice([0, 1, 0.5, -3.25, 80, 1e10, "80", "0.25", "-1e3", "NaN", "Infinity"])
    if kind == field.TYPE_BOOL:
        return rng.random() < 0.5
    if kind == field.TYPE_BYTES:
        return rng.choice(["", "YQ==", "YWI=", "YWJj", "-_-_"])
    return text()


def well_known(name):
    if name.endswith("Timestamp"):
        return rng.choice(["2026-08-20T10:15:30Z", "2026-08-20T10:15:30.123456789Z", "2024-02-29T00:00:00.5+02:00"])
    if name.endswith("Duration"):
        return rng.choice(["3s", "3.5s", "-1s", "0.000000001s"])
    return {"text": "a", "number": 1.5, "list": [1, None, {"x": True}]}


def one(field, depth):
    if not field.message_type:
        return scalar(field)
    name = field.message_type.full_name
    return well_known(name) if name in WELL_KNOWN else message(field.message_type, depth + 1)


def message(descriptor, depth):
    fields = [field for field in descriptor.fields if depth < DEEPEST or not field.message_type]
    if descriptor.oneofs and not descriptor.oneofs[0].name.startswith("_"):
        fields = fields[:1]
    chosen = rng.sample(fields, min(len(fields), rng.choice([1, 1, 2, 2, 3] if depth else [2, 3])))
    made = {}
    for field in chosen:
        key = plain(field.name) if plain(field.name) == field.name and rng.random() < 0.7 else field.json_name
        if is_map(field):
            made[key] = {"k": one(value_of(field), depth)}
        elif field.is_repeated:
            made[key] = [one(field, depth) for _ in range(rng.choice([0, 1, 1, 2]))]
        else:
            made[key] = one(field, depth)
    return made


def places(descriptor, made, found):
    """All (field, object, key) below `made`."""
    by_name = {field.json_name: field for field in descriptor.fields} | {field.name: field for field in descriptor.fields}
    for key, value in made.items():
        field = by_name[key]
        found.append((field, made, key))
        inner = field.message_type
        if inner and inner.full_name not in WELL_KNOWN and not is_map(field):
            for item in value if isinstance(value, list) else [value]:
                places(inner, item, found)
    return found


BAD_TIMES = ["yesterday", "2026-08-20", "2026-08-20T10:15:30", "2026-02-30T10:15:30Z", "2026-08-20 10:15:30Z", ""]


def faults(field):
    """Faults that fit the field: name -> new value (or the name of a change to the key)."""
    fits = {"unknown_field": "key", "camel_case": "key", "null": None}
    if field.is_repeated:
        return fits | {"null_item": [None], "one_for_list": "x" if not field.message_type else {"x": 1}}
    fits["list_for_one"] = ["x"]
    if field.enum_type:
        name = plain(rng.choice(list(field.enum_type.values)).name)
        return fits | {"enum_typo": name + "X", "enum_case": name.lower(), "enum_object": {"x": 1}, "enum_number": "0"}
    if field.message_type:
        name = field.message_type.full_name
        if name.endswith("Timestamp"):
            return fits | {"bad_time": rng.choice(BAD_TIMES), "number_for_time": 1766000000}
        if name.endswith("Duration"):
            return fits | {"bad_duration": rng.choice(["3", "s", "3m", "", "3.0000000001s"])}
        return fits | {"number_for_message": 7, "text_for_message": "web-07"}
    kind = field.type
    if kind in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return fits | {"text_for_float": rng.choice(["high", "", "8o"]), "float_range": 1e39, "object_for_float": {"x": 1}}
    if kind == field.TYPE_BOOL:
        return fits | {"text_for_bool": "true", "number_for_bool": 1}
    if kind == field.TYPE_STRING:
        return fits | {"number_for_text": 7, "bool_for_text": True, "object_for_text": {"x": 1}}
    if kind == field.TYPE_BYTES:
        return fits
    return fits | {
        "int_range": rng.choice([2**64, -2**63 - 1]), "fraction_for_int": 1.5, "text_for_int": "many",
        "bool_for_int": True, "int_as_float": 5.0, "int_as_text": "5", "int_exponent_text": "1e3",
    }


def spoil(event):
    """One random fault; its name."""
    if rng.random() < 0.15:
        return "none"
    # The fault is drawn before its place, so that rare types are spoilt as often as text is.
    fits = {}
    for field, owner, key in places(EVENT.DESCRIPTOR, event, []):
        for fault, value in faults(field).items():
            fits.setdefault(fault, []).append((field, owner, key, value))
    fault = rng.choice(sorted(fits))
    field, owner, key, value = rng.choice(fits[fault])
    if value != "key":
        owner[key] = value
    elif fault == "camel_case":
        owner[camel(plain(field.name))] = owner.pop(key)
    else:
        owner[key + rng.choice(["x", "q", "ee"])] = owner.pop(key)
    return fault


def accepted(event):
    try:
        json_format.ParseDict(event, (EVENT if isinstance(EVENT, type) else type(EVENT))(), ignore_unknown_fields=False)
    except (json_format.ParseError, ValueError, TypeError):
        return False
    return True


def main():
    lines, verdicts = [], {}
    while len(lines) < COUNT:
        event = message(EVENT.DESCRIPTOR, 0)
        fault = spoil(event)
        line = json.dumps(event, ensure_ascii=False)
        if len(line) > 1500:
            continue
        verdict = accepted(json.loads(line))
        verdicts.setdefault(fault, []).append(verdict)
        lines.append(json.dumps({"fault": fault, "accepted": verdict, "event": event}, ensure_ascii=False))
    target = Path(__file__).parents[1] / "tests/fixtures/judged.jsonl"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for fault, all_of in sorted(verdicts.items()):
        print(f"{fault:20} {len(all_of):5} {sum(all_of):5} accepted", file=sys.stderr)
    print(f"{len(lines)} events, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
