#!/usr/bin/env python3
"""Makes the fact tables of this folder from the official models, at pinned versions.

    python3 make.py

Needs pip, npm and node, and a network; the tests need none of them, they read what is written here.
Sources: PyPI ocsf-json-schema 1.2.0 (OCSF 1.8.0), npm @elastic/ecs 9.4.0, PyPI pytest-splunk-addon 7.0.5.
"""

import csv
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
OCSF_PACKAGE, OCSF_VERSION = "ocsf-json-schema==1.2.0", "1.8.0"
ECS_PACKAGE, ECS_VERSION = "@elastic/ecs@9.4.0", "9.4.0"
CIM_PACKAGE = "pytest-splunk-addon==7.0.5"


def write(name, content):
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"
    (HERE / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(text)} characters")


def without_prose(node):
    """A JSON Schema without titles and descriptions; a property of that name is no text, so it stays."""
    if isinstance(node, dict):
        prose = ("title", "description", "$comment")
        return {key: without_prose(value) for key, value in node.items() if not (key in prose and isinstance(value, str))}
    return [without_prose(item) for item in node] if isinstance(node, list) else node


def ocsf(scratch):
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", scratch, OCSF_PACKAGE], check=True)
    sys.path.insert(0, str(scratch))
    from ocsf_json_schema import get_ocsf_schema
    from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded

    model = get_ocsf_schema(version=OCSF_VERSION)
    schema = OcsfJsonSchemaEmbedded(model).get_class_schema("detection_finding")
    write(f"ocsf_{OCSF_VERSION}_detection_finding.schema.json", without_prose(schema))

    # What the JSON Schema does not say: which attributes exclude or need each other, and which text goes with which number.
    described = {name: model["objects"][name] for name in schema["$defs"] if name in model["objects"]}
    described[""] = model["classes"]["detection_finding"]
    constraints, captions, deprecated = {}, {}, {}
    for name, it in described.items():
        if it.get("constraints"):
            constraints[name] = it["constraints"]
        for attribute, facts in it["attributes"].items():
            if facts.get("enum") and facts.get("sibling"):
                texts = {number: value["caption"] for number, value in facts["enum"].items()}
                captions.setdefault(name, {})[attribute] = {"sibling": facts["sibling"], "captions": texts}
            if facts.get("@deprecated"):
                deprecated.setdefault(name, []).append(attribute)
    facts = {"constraints": constraints, "captions": captions, "deprecated": deprecated}
    write(f"ocsf_{OCSF_VERSION}_facts.json", facts)


def ecs(scratch):
    name = subprocess.run(["npm", "pack", "--silent", ECS_PACKAGE], cwd=scratch, check=True, capture_output=True, text=True)
    with tarfile.open(scratch / name.stdout.strip()) as archive:
        archive.extractall(scratch, filter="data")
    module = scratch / "package" / "build" / "commonjs" / "ecs_flat.js"
    program = f"process.stdout.write(JSON.stringify(require({json.dumps(str(module))}).EcsFlat))"
    dump = subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True)
    fields = json.loads(dump.stdout)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["field", "type", "array"])
    for field in sorted(fields):
        rows.writerow([field, fields[field]["type"], "array" if "array" in fields[field]["normalize"] else ""])
    write(f"ecs_{ECS_VERSION}_fields.csv", table.getvalue())
    categories = {it["name"]: it["expected_event_types"] for it in fields["event.category"]["allowed_values"]}
    kinds = [it["name"] for it in fields["event.kind"]["allowed_values"]]
    write(f"ecs_{ECS_VERSION}_categories.json", {"categories": categories, "kinds": kinds})


def cim(scratch):
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, CIM_PACKAGE], check=True)
    (wheel,) = scratch.glob("pytest_splunk_addon-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        alerts = json.loads(archive.read("pytest_splunk_addon/data_models/Alerts.json"))
        common = json.loads(archive.read("pytest_splunk_addon/cim_tests/CommonFields.json"))
    fields = [{key: it[key] for key in ("name", "type", "expected_values") if key in it} for it in alerts["objects"][0]["fields"]]
    forbidden = [it["name"] for it in common["fields"]]
    write("cim_alerts.json", {"fields": fields, "forbidden": forbidden})


def main():
    for make in (ocsf, ecs, cim):
        with tempfile.TemporaryDirectory() as scratch:
            make(pathlib.Path(scratch))


if __name__ == "__main__":
    main()
