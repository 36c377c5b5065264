#!/usr/bin/env python3
"""Checks job files against config/schema/job.schema.json with python3-jsonschema, as an editor would.

   check_schema.py SCHEMA GOOD_DIR... -- BAD_DIR BLIND_FILE

Every good file must be valid. Every bad file must be invalid, but for those that BLIND_FILE lists: what is wrong with them only the
parser can know. A file that is listed there and is invalid all the same is a mistake of the list. Exit 77: jsonschema is missing."""
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)


class Loader(yaml.SafeLoader):
    """YAML 1.2 core, as drover reads it: `on` and `yes` are texts."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    import re

    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def mistakes(validator, file):
    try:
        document = yaml.load(file.read_text(), Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        return [f"not YAML: {type(e).__name__}"]
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:100]}" for e in validator.iter_errors(document)]


def main():
    schema_file, *rest = sys.argv[1:]
    split = rest.index("--")
    good_dirs, (bad_dir, blind_file) = rest[:split], rest[split + 1 :]
    import json

    schema = json.loads(pathlib.Path(schema_file).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failures = 0

    def wrong(file, text):
        nonlocal failures
        failures += 1
        print(f"{file}: {text}")

    good = [f for d in good_dirs for f in sorted(pathlib.Path(d).glob("*.yaml"))]
    for file in good:
        for mistake in mistakes(validator, file):
            wrong(file, mistake)
    blind = set(pathlib.Path(blind_file).read_text().split())
    bad = sorted(pathlib.Path(bad_dir).glob("*.yaml"))
    for file in bad:
        found = mistakes(validator, file)
        if not found and file.name not in blind:
            wrong(file, "the schema finds nothing wrong")
        if found and file.name in blind:
            wrong(file, f"listed in {blind_file}, but: {found[0]}")
    print(f"{len(good)} good files, {len(bad)} bad ones, {len(blind)} of them beyond a schema")
    sys.exit(1 if failures else 0)


main()
