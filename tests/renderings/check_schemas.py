#!/usr/bin/env python3
"""Checks the renderings beside this file by the official schemas, where their packages are installed: OCSF by ocsf-json-schema
(1.4 and later), STIX by stix2-validator, and the ids of STIX observables by stix2. Exit code 77 = nothing could be checked."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
problems = []
checked = []


def documents(name):
    with open(HERE / f"{name}.txt", newline="\n", encoding="utf-8") as lines:
        case = ""
        for line in lines:
            if line.startswith("== "):
                case = line[3:].strip()
            else:
                yield case, line


try:
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    for version in ("1.4.0", "1.6.0", "1.8.0"):
        schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version)).get_class_schema(class_name="detection_finding", profiles=[])
        validator = jsonschema.validators.validator_for(schema)(schema)
        for case, text in documents("ocsf"):
            problems += [f"OCSF {version} {case}: {e.message[:200]}" for e in validator.iter_errors(json.loads(text))]
    checked.append("OCSF")
except ImportError:
    print("skipped: ocsf-json-schema and jsonschema are not installed")

try:
    import stix2
    from stix2validator import ValidationOptions, validate_string

    for case, text in documents("stix"):
        result = validate_string(text, ValidationOptions(version="2.1"))
        problems += [f"STIX {case}: {e}" for e in result.errors or []]
        # 103: ids "should" be of version 4, ours can be made again; 302: a reference "should" have a hash.
        problems += [f"STIX {case}: {w}" for w in result.warnings or [] if "{103}" not in str(w) and "{302}" not in str(w)]
        for thing in stix2.parse(text).objects:
            if isinstance(thing, stix2.v21._Observable):
                members = json.loads(thing.serialize())
                for key in ("id", "type", "spec_version"):
                    del members[key]
                if type(thing)(**members).id != thing.id:
                    problems.append(f"STIX {case}: {thing.id} is not the id that stix2 gives")
    checked.append("STIX")
except ImportError:
    print("skipped: stix2 and stix2-validator are not installed")

for problem in problems:
    print(problem)
print(f"checked: {', '.join(checked) or 'nothing'}; {len(problems)} problems")
sys.exit(1 if problems else 0 if checked else 77)
