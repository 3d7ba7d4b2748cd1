#!/usr/bin/env python3
"""Makes what a release consists of besides binaries. The same input gives the same bytes.

  package.py zip VERSION OS_ARCH BINARY OUT [--level N]   the archive of one platform
  package.py notices VERSION OUT                          licences of what is linked in, and the bill of materials (CycloneDX)
  package.py sums VERSION OUT                             the manifest of the registry, and the checksums
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
import uuid
import zipfile

NAME = "terraform-provider-mailflow"
ROOT = pathlib.Path(__file__).resolve().parent.parent
# What the provider speaks. Without a manifest the registry takes 5.0, and Terraform refuses the provider.
PROTOCOLS = ["6.0"]
# A zip has no earlier time.
EARLIEST = 315532800


def epoch():
    """The time of everything in a release: that of the commit, unless SOURCE_DATE_EPOCH says another."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        told = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return max(int(told), EARLIEST)


def make_zip(version, platform, binary, out, level):
    """Writes the archive as the registries want it: the binary at the top, executable, and the licences beside it."""
    suffix = ".exe" if platform.startswith("windows_") else ""
    notices = out / f"{NAME}_{version}_THIRD-PARTY-LICENSES.txt"
    members = [
        ("LICENSE", 0o644, ROOT / "LICENSE"),
        ("THIRD-PARTY-LICENSES.txt", 0o644, notices),
        (f"{NAME}_v{version}{suffix}", 0o755, binary),
    ]
    when = time.gmtime(epoch())[:6]
    archive = out / f"{NAME}_{version}_{platform}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as target:
        for name, mode, source in members:
            entry = zipfile.ZipInfo(name, when)
            # Made on a Unix, whatever made it: a mode is kept.
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read_bytes(), compresslevel=level)
    print(archive)


def linked():
    """The packages that are linked into the binary of any platform, and who needs whom."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    needs, waiting = {}, [told["resolve"]["root"]]
    while waiting:
        package = waiting.pop()
        if package in needs:
            continue
        needs[package] = sorted(
            found["pkg"] for found in nodes[package]["deps"] if any(kind["kind"] is None for kind in found["dep_kinds"])
        )
        waiting += needs[package]
    packages = {package["id"]: package for package in told["packages"] if package["id"] in needs}
    return told["resolve"]["root"], packages, needs


def checksums():
    """The checksum of each package in Cargo.lock, by name and version."""
    found, name, version = {}, None, None
    for line in (ROOT / "Cargo.lock").read_text().splitlines():
        key, _, value = line.partition(" = ")
        if key == "name":
            name = value.strip('"')
        elif key == "version":
            version = value.strip('"')
        elif key == "checksum":
            found[(name, version)] = value.strip('"')
    return found


def notices(version, out):
    """Writes the licence texts of what is linked in, and the bill of materials."""
    root, packages, needs = linked()
    ordered = sorted((package for key, package in packages.items() if key != root), key=lambda one: (one["name"], one["version"]))
    # Many packages have the same text: each text stands once, below the packages that it belongs to.
    texts = {}
    for package in ordered:
        folder = pathlib.Path(package["manifest_path"]).parent
        names = ("licen", "copying", "notice", "unlicense")
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(names))
        if not files and not package["license"]:
            sys.exit(f"{package['name']} {package['version']} says nothing of its licence")
        for text in [file.read_text(errors="replace").strip() for file in files] or [f"(no text of its own: {package['license']})"]:
            texts.setdefault(text, []).append(f"{package['name']} {package['version']} ({package['license'] or 'see below'})")
    parts = [f"{NAME} {version} contains the packages below. Its own licence is in the file LICENSE.\n"]
    for text, owners in texts.items():
        owners = "\n".join(owners)
        parts.append(f"{'=' * 80}\n{owners}\n{'-' * 80}\n{text}\n")
    (out / f"{NAME}_{version}_THIRD-PARTY-LICENSES.txt").write_text("\n".join(parts))

    sums = checksums()
    purl = lambda package: f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        found = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"], "purl": purl(package)}
        if package["license"]:
            # The old form with a slash means "or".
            found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        checksum = sums.get((package["name"], package["version"]))
        if checksum:
            found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return found

    own = {"type": "application", "bom-ref": f"pkg:cargo/{NAME}@{version}", "name": NAME, "version": version,
           "licenses": [{"expression": packages[root]["license"]}]}
    reference = lambda key: own["bom-ref"] if key == root else purl(packages[key])
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{NAME}/{version}/{epoch()}')}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch())),
            "component": own,
        },
        "components": [component(package) for package in ordered],
        "dependencies": sorted(
            ({"ref": reference(key), "dependsOn": sorted(reference(need) for need in found)} for key, found in needs.items()),
            key=lambda one: one["ref"],
        ),
    }
    (out / f"{NAME}_{version}_sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")


def sums(version, out):
    """Writes the manifest, and the checksums of it and of all archives."""
    manifest = out / f"{NAME}_{version}_manifest.json"
    manifest.write_bytes((ROOT / "terraform-registry-manifest.json").read_bytes())
    if json.loads(manifest.read_text()) != {"version": 1, "metadata": {"protocol_versions": PROTOCOLS}}:
        sys.exit(f"terraform-registry-manifest.json does not say {PROTOCOLS}")
    files = sorted(out.glob(f"{NAME}_{version}_*_*.zip")) + [manifest]
    if len(files) < 2:
        sys.exit(f"{out} has no archive of version {version}")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    (out / f"{NAME}_{version}_SHA256SUMS").write_text("".join(lines))


def main(arguments):
    level = 9
    if "--level" in arguments:
        at = arguments.index("--level")
        level = int(arguments[at + 1])
        del arguments[at:at + 2]
    match arguments:
        case ["zip", version, platform, binary, out]:
            make_zip(version, platform, pathlib.Path(binary), pathlib.Path(out), level)
        case ["notices", version, out]:
            notices(version, pathlib.Path(out))
        case ["sums", version, out]:
            sums(version, pathlib.Path(out))
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
