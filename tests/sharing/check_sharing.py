#!/usr/bin/env python3
"""Checks the goldens beside this file by programs that others wrote, where their packages are installed: the STIX bundle by
stix2-validator and the ids of its observables by stix2, the MISP event by pymisp and its templates of objects. Exit code 77 = nothing
could be checked."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
problems = []
checked = []


def golden(name):
    return (HERE / f"{name}.golden").read_text(encoding="utf-8")


try:
    import stix2
    from stix2validator import ValidationOptions, validate_string

    result = validate_string(golden("stix"), ValidationOptions(version="2.1"))
    problems += [f"STIX: {e}" for e in result.errors or []]
    # 103: ids "should" be of version 4, ours can be made again; 301: of a node's service no source port is known; 302: a reference
    # "should" have a hash. Custom properties in patterns: there are none for fingerprints.
    for warning in (str(w) for w in result.warnings or []):
        if not any(allowed in warning for allowed in ("{103}", "{301}", "{302}", "x_jarm")):
            problems.append(f"STIX: {warning}")
    objects = stix2.parse(golden("stix"), allow_custom=True).objects
    for thing in objects:
        if isinstance(thing, stix2.v21._Observable):
            members = json.loads(thing.serialize())
            for key in ("id", "type", "spec_version"):
                del members[key]
            if type(thing)(**members).id != thing.id:
                problems.append(f"STIX: {thing.id} is not the id that stix2 gives")
    known = {thing["id"] for thing in objects}
    for thing in objects:
        for key, value in json.loads(thing.serialize() if hasattr(thing, "serialize") else json.dumps(thing)).items():
            for ref in value if key.endswith("_refs") else [value] if key.endswith("_ref") else []:
                if ref not in known:
                    problems.append(f"STIX: {key} of {thing['id']} names what is not in the bundle")
    checked.append(f"STIX ({len(objects)} objects)")
except ImportError:
    print("skipped: stix2 and stix2-validator are not installed")

try:
    import pymisp

    event = pymisp.MISPEvent(strict_validation=False)
    event.from_json(golden("misp"))
    types = json.loads((pathlib.Path(pymisp.__file__).parent / "data/describeTypes.json").read_text())["result"]
    for attribute in list(event.attributes) + [a for o in event.objects for a in o.attributes]:
        if attribute.type not in types["category_type_mappings"][attribute.category]:
            problems.append(f"MISP: {attribute.type} is no type of {attribute.category}")
    for thing in event.objects:
        definition = json.loads(
            (pathlib.Path(pymisp.__file__).parent / f"data/misp-objects/objects/{thing.name}/definition.json").read_text())
        if thing.template_uuid != definition["uuid"]:
            problems.append(f"MISP: {thing.template_uuid} is not the template {thing.name}")
        for attribute in thing.attributes:
            if definition["attributes"].get(attribute.object_relation, {}).get("misp-attribute") != attribute.type:
                problems.append(f"MISP: {thing.name} has no {attribute.object_relation} of type {attribute.type}")
    checked.append(f"MISP ({len(event.attributes)} attributes, {len(event.objects)} objects)")
except ImportError:
    print("skipped: pymisp is not installed")

for problem in problems:
    print(problem)
print(f"checked: {', '.join(checked) or 'nothing'}; {len(problems)} problems")
sys.exit(1 if problems else 0 if checked else 77)
