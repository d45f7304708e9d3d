#!/usr/bin/env python3
"""Writes udm.txt, the table of facts that the crate reads: messages, fields, types and enum values of UDM events, entities and
detections.

    python3 -m venv venv && venv/bin/pip install google-backstory==0.1.1 && venv/bin/python make.py

The package is built from Google's published `backstory/*.proto` (Apache-2.0, see NOTICE beside this file). What is taken
over are names, types and numbers; of the comments only whether a field is deprecated and which one replaces it. proto-plus
adds an underscore to names that Python reserves (`type_`), which is undone here. Needs no network once it is installed.
"""
import inspect
import re
import sys
from importlib.metadata import version
from pathlib import Path

import google.backstory as backstory
from google.backstory.types import collection, data_access, entity, entity_risk, id as id_module, udm
from google.protobuf.descriptor import FieldDescriptor as F

PACKAGE = ("google-backstory", "0.1.1")
ROOTS = [backstory.UDM.pb(), backstory.Entity.pb(), backstory.Collection.pb()]
SCALARS = {
    F.TYPE_STRING: "string", F.TYPE_BYTES: "bytes", F.TYPE_BOOL: "bool",
    F.TYPE_INT32: "int32", F.TYPE_SINT32: "int32", F.TYPE_SFIXED32: "int32",
    F.TYPE_INT64: "int64", F.TYPE_SINT64: "int64", F.TYPE_SFIXED64: "int64",
    F.TYPE_UINT32: "uint32", F.TYPE_FIXED32: "uint32", F.TYPE_UINT64: "uint64", F.TYPE_FIXED64: "uint64",
    F.TYPE_FLOAT: "float", F.TYPE_DOUBLE: "double",
}
WELL_KNOWN = {
    "google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration",
    "google.protobuf.Struct": "struct", "google.protobuf.Value": "value",
}


def short(descriptor):
    """Full name without the package: `SecurityResult.Association`, `google.type.LatLng`."""
    return descriptor.full_name.removeprefix("google.backstory.")


def plain(name):
    """The name as the .proto spells it."""
    return name.removesuffix("_")


def camel(name):
    """protobuf's own rule for JSON names."""
    return re.sub(r"_+(.?)", lambda match: match.group(1).upper(), name)


def is_map(field):
    return bool(field.message_type) and field.message_type.GetOptions().map_entry


def value_of(field):
    """The field itself, or of a map what stands under its keys."""
    if not is_map(field):
        return field
    assert field.message_type.fields_by_name["key"].type == F.TYPE_STRING, field.full_name
    return field.message_type.fields_by_name["value"]


def type_of(field):
    if field.enum_type:
        return "@" + short(field.enum_type)
    if not field.message_type:
        return SCALARS[field.type]
    return WELL_KNOWN.get(field.message_type.full_name) or short(field.message_type)


def python_classes():
    """Message classes by short name; their docstrings hold the comments."""
    found = {}

    def visit(owner, prefix):
        for name, item in vars(owner).items():
            if inspect.isclass(item) and hasattr(item, "pb") and item.__module__.startswith("google.backstory"):
                if prefix + name not in found:
                    found[prefix + name] = item
                    visit(item, prefix + name + ".")

    for module in (udm, entity, collection, data_access, entity_risk, id_module):
        visit(module, "")
    return found


def deprecations(python_class):
    """Field -> replacement ('' when none is named), read from the comments."""
    doc = inspect.getdoc(python_class) or ""
    attributes = doc.partition("\nAttributes:\n")[2]
    found = {}
    for name, text in re.findall(r"^    (\w+) \([^\n]*\):\n((?:        .*\n?|\n)*)", attributes, re.M):
        text = " ".join(text.split())
        if re.search(r"deprecat", text, re.I):
            use = re.search(r"\b(?:[Uu]se|in favor of) ((?!in\b|for\b|the\b|fields\b|using\b|single\b)[a-z]+(?:[_.]\w+)*)", text)
            found[plain(name)] = use.group(1) if use else ""
    return found


def main():
    if version(PACKAGE[0]) != PACKAGE[1]:
        sys.exit(f"expected {PACKAGE[0]} {PACKAGE[1]}, found {version(PACKAGE[0])}")
    messages, enums = {}, {}

    def walk(descriptor):
        if descriptor.full_name in WELL_KNOWN or short(descriptor) in messages:
            return
        messages[short(descriptor)] = descriptor
        for field in descriptor.fields:
            held = value_of(field)
            if held.enum_type:
                enums[short(held.enum_type)] = held.enum_type
            if held.message_type:
                walk(held.message_type)

    for root in ROOTS:
        walk(root.DESCRIPTOR)
    classes = python_classes()
    out = [
        f"# Made by make.py from PyPI {PACKAGE[0]} {PACKAGE[1]} (Copyright Google LLC, Apache-2.0; see NOTICE). Not edited by hand.",
        "# M message; then its fields (* list, % map from text): name[=jsonName] [*|%]type [oneof:name] [deprecated[:replacement]]. E enum; then name number.",
    ]
    for name in sorted(messages):
        out.append(f"M {name}")
        old = deprecations(classes[name]) if name in classes else {}
        for field in sorted(messages[name].fields, key=lambda field: field.number):
            spelled = plain(field.name)
            label = spelled if camel(spelled) == field.json_name else f"{spelled}={field.json_name}"
            many = "%" if is_map(field) else "*" if field.is_repeated else ""
            words = [label, many + type_of(value_of(field))]
            oneof = field.containing_oneof
            if oneof and not (len(oneof.fields) == 1 and oneof.name == "_" + field.name):
                words.append(f"oneof:{oneof.name}")
            if spelled in old:
                words.append("deprecated" + (f":{old[spelled]}" if old[spelled] else ""))
            out.append(" ".join(words))
    for name in sorted(enums):
        out.append(f"E {name}")
        out.extend(f"{plain(value.name)} {value.number}" for value in enums[name].values)
    target = Path(__file__).with_name("udm.txt")
    target.write_text("\n".join(out) + "\n", encoding="utf-8")
    fields = sum(len(message.fields) for message in messages.values())
    print(f"{len(messages)} messages, {fields} fields, {len(enums)} enums, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
