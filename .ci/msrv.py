"""Fails if a dependency of the library needs a newer Rust than the library states."""

import json
import sys

metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}


def version(text):
    return tuple(int(part) for part in text.split("."))


def normal(node):
    for dependency in node["deps"]:
        if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
            yield dependency["pkg"]


roots = [id for id in metadata["workspace_members"] if packages[id]["name"].startswith("rpc-parallel")]
library = next(id for id in roots if packages[id]["name"] == "rpc-parallel")
stated = packages[library]["rust_version"]
seen, queue, newer = {library}, [library], []
while queue:
    for id in normal(nodes[queue.pop()]):
        if id in seen:
            continue
        seen.add(id)
        queue.append(id)
        needed = packages[id].get("rust_version")
        if needed and version(needed) > version(stated):
            newer.append(f"{packages[id]['name']} {packages[id]['version']} needs Rust {needed}, stated is {stated}")
print("\n".join(newer) or f"{len(seen)} packages build with Rust {stated} by their own word")
sys.exit(bool(newer))
