"""Profile-guided optimization: records what requests run through, for the compiler, and writes `Sources/requests.profdata`.

A release build made with it lays the code of a request side by side and takes the branches that requests take for the likely ones (LLVM's
instrumentation of its intermediate code). What it says of a function holds until that function is changed, so record it anew after larger changes
to the path of a request, and pin the counts anew. The work is that of `counts.py`.

    python3 Tests/full/record.py [--build FOLDER]     FOLDER: the instrumented build (.build-record); needs what the release build needs, and python3
"""

import argparse
import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

import harness
from counts import ROWS
from stub import Client1, Client2, Stub, stub_state

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULT = os.path.join(ROOT, "Sources", "requests.profdata")
# So that starting, which every server does once, does not weigh as much as what it does all day.
ROUNDS = 5


def tools():
    """The compiler's own `llvm-profdata`, since others do not read its format, and the library that instrumented code is linked with."""
    target = json.loads(subprocess.run(["swiftc", "-print-target-info"], capture_output=True, text=True, check=True).stdout)
    resources = target["paths"]["runtimeResourcePath"]
    machine = target["target"]["triple"].split("-")[0]
    libraries = glob.glob(f"{resources}/../clang/*/lib/linux/libclang_rt.profile-{machine}.a")
    merge = f"{resources}/../../bin/llvm-profdata"
    if not libraries or not os.path.exists(merge):
        sys.exit(f"record.py: no libclang_rt.profile-{machine}.a or no llvm-profdata beside {resources}: is this a whole Swift toolchain?")
    return merge, libraries[0]


def build(folder, library):
    """The executable that counts as it runs."""
    # Objects are kept where their intermediate code is the same, whatever they are to be instrumented with.
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "keybearer", "--package-path", ROOT, "--scratch-path", folder,
         "-Xlinker", "-u__llvm_profile_runtime", "-Xlinker", library],
        env={**os.environ, "KEYBEARER_PGO": "record"}, check=True, umask=0o022)
    return os.path.join(folder, "release", "keybearer")


def work(counts):
    """What is recorded: each row of the counts, over and over. A confined server could not write down what it counted."""
    stub = Stub()
    for provider in (1, 2):
        environment = {"KEYBEARER_DEBUG": "1", "LLVM_PROFILE_FILE": f"{counts}/%p.profraw"}
        with harness.Proxy(stub_state(stub, http2=provider == 2), environment=environment) as proxy:
            for _ in range(ROUNDS):
                for version, _, _, kind in (row for row in ROWS if row[1] == provider):
                    with contextlib.closing((Client1, Client2)[version - 1](proxy)) as client:
                        kind.run(stub, client)
            if proxy.end() != 0:
                sys.exit("record.py: the server did not end by itself, and so has not written what it counted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, ".build-record"), help="where the instrumented build goes")
    options = parser.parse_args()
    merge, library = tools()
    harness.BINARY = build(os.path.abspath(options.build), library)
    with tempfile.TemporaryDirectory() as counts:
        # A child without an environment writes where it stands.
        os.chdir(counts)
        work(counts)
        subprocess.run([merge, "merge", "--sparse", *glob.glob(f"{counts}/*.profraw"), "-o", RESULT], check=True, umask=0o022)
    print(f"{RESULT}: {os.path.getsize(RESULT) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
