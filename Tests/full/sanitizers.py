"""The unit tests under AddressSanitizer and ThreadSanitizer, each in a build folder of its own."""

import os
import re
import shutil
import subprocess
import time

from harness import Unavailable, check, main, tool

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Everything takes many times as long; tests that wait for something wait longer for it before they give up.
PATIENCE = {"KEYBEARER_TEST_PATIENCE": "120000"}
# A report ends the test process with a status of its own, so that no runner can take it for a pass.
OPTIONS = {
    "address": {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:exitcode=66"},
    "thread": {"TSAN_OPTIONS": f"suppressions={HERE}/thread-sanitizer.supp:print_suppressions=0:second_deadlock_stack=1:exitcode=66"},
}
# Children of the tests have no PATH to find it by; suppressions are names.
SYMBOLIZER = shutil.which("llvm-symbolizer")
REPORT = re.compile(r"(?:ERROR|WARNING): (?:Address|Leak|Thread)Sanitizer.*|SUMMARY: \w+Sanitizer.*")


def suite():
    try:
        tool("swift")
    except Unavailable as reason:
        return check.skip("sanitizers", reason)
    for sanitizer, options in OPTIONS.items():
        began = time.monotonic()
        found_at = f":external_symbolizer_path={SYMBOLIZER}" if SYMBOLIZER else ""
        log = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"keybearer-{sanitizer}-{os.getpid()}.log")
        with open(log, "w") as output:
            run = subprocess.run(
                [
                    "swift",
                    "test",
                    "--disable-xctest",
                    f"--sanitize={sanitizer}",
                    "--package-path",
                    ROOT,
                    "--scratch-path",
                    os.path.join(ROOT, f".build-{sanitizer}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **PATIENCE, **{name: value + found_at for name, value in options.items()}},
                umask=0o022,
            )
        text = open(log, errors="replace").read()
        reports = sorted(set(REPORT.findall(text)))
        ran = re.findall(r"Test run with (\d+) tests?.*? (passed|failed)", text)
        sound = run.returncode == 0 and not reports and ran and all(verdict == "passed" for _, verdict in ran)
        check(
            sound,
            f"{sanitizer} sanitizer",
            f"{'; '.join(f'{count} tests {verdict}' for count, verdict in ran) or 'no test ran'}, "
            f"{len(reports)} kinds of report, {time.monotonic() - began:.0f} s"
            + "".join(f"\n        {report}" for report in reports[:10])
            + ("" if sound else f"\n        all of it: {log}"),
            "no report",
        )
        if sound:
            os.unlink(log)


main(suite)
