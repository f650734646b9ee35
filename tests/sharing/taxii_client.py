#!/usr/bin/env python3
"""Reads `orbwatch taxii` with OASIS' client (pip: taxii2-client): paging, filters, log-in, a new export. The first argument is the
program. Exit code 77 = the client is not installed."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

try:
    from taxii2client.v21 import ApiRoot, Collection, Server, as_pages
    import requests
except ImportError:
    print("skipped: taxii2-client is not installed")
    sys.exit(77)


def indicator(n, modified="2026-01-01T00:00:00.000Z"):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{n:08x}-0000-4000-8000-000000000000",
            "created": "2026-01-01T00:00:00.000Z", "modified": modified, "pattern": f"[ipv4-addr:value = '198.51.100.{n}']",
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}


def write(folder, objects):
    path = pathlib.Path(folder) / "given.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects}))
    partial.rename(path)


def numbers(envelope):
    return [int(o["id"][11:19], 16) for o in envelope.get("objects", [])]


def expect(what, seen, wanted):
    if seen != wanted:
        print(f"{what}: {seen!r} and not {wanted!r}")
        sys.exit(1)


with tempfile.TemporaryDirectory() as folder:
    write(folder, [indicator(n) for n in range(1, 26)])
    secret = pathlib.Path(folder) / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o400)
    server = subprocess.Popen([sys.argv[1], "taxii", "--folder", folder, "--listen", "127.0.0.1:0", "--user", "ann",
                               "--secret-file", str(secret)], stderr=subprocess.PIPE, text=True)
    try:
        url = None
        while url is None:
            line = server.stderr.readline()
            if not line:
                sys.exit("the server has ended")
            found = re.search(r"by (http://\S+)", line)
            url = found and found.group(1)
        client = Server(url, user="ann", password="hush")
        expect("title", client.title, "orbwatch")
        root = client.default
        expect("API roots", len(client.api_roots), 1)
        expect("versions", root.versions, ["application/taxii+json;version=2.1"])
        collection = root.collections[0]
        expect("collection", (collection.title, collection.can_read, collection.can_write), ("given", True, False))
        expect("all", numbers(collection.get_objects()), list(range(1, 26)))
        pages = list(as_pages(collection.get_objects, per_request=10))
        expect("pages", [numbers(page) for page in pages], [list(range(1, 11)), list(range(11, 21)), list(range(21, 26))])
        manifest = collection.get_manifest()["objects"]
        after = manifest[19]["date_added"]
        expect("added_after", numbers(collection.get_objects(added_after=after)), list(range(21, 26)))
        one = indicator(7)["id"]
        expect("one object", numbers(collection.get_object(one)), [7])
        expect("match[id]", numbers(collection.get_objects(id=one)), [7])
        expect("match[type]", numbers(collection.get_objects(type="malware")), [])
        expect("versions of one", collection.object_versions(one)["versions"], ["2026-01-01T00:00:00.000Z"])
        expect("dates", sorted(set(m["date_added"] for m in manifest)), [m["date_added"] for m in manifest])
        last = manifest[-1]["date_added"]
        write(folder, [indicator(n, "2026-05-01T00:00:00.000Z" if n == 3 else "2026-01-01T00:00:00.000Z") for n in range(1, 28)])
        for _ in range(100):
            new = numbers(collection.get_objects(added_after=last))
            if new:
                break
            time.sleep(0.1)
        expect("a new export", new, [3, 26, 27])
        for wrong, status in (({"password": "wrong"}, 401), ({"path": "nothing/"}, 404)):
            try:
                if "path" in wrong:
                    ApiRoot(url.replace("taxii2/", wrong["path"]), user="ann", password="hush").refresh_information()
                else:
                    Server(url, user="ann", password=wrong["password"]).refresh()
                sys.exit(f"{wrong} is let in")
            except requests.exceptions.HTTPError as error:
                expect(str(wrong), error.response.status_code, status)
        print(f"checked: {len(pages)} pages, {len(manifest)} objects")
    finally:
        server.terminate()
        if server.wait() != 0:
            sys.exit("the server did not end well")
