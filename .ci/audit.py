"""Ask for known vulnerabilities of what the service runs on: the packages of the lock file, on standard input.

Without an answer of the vulnerability service of PyPI nothing is known, and that is said in one line: a machine
without a network must be able to check its changes. Exit code 1 only when a vulnerability is known.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

UNKNOWN = "audit: the vulnerability service of PyPI does not answer here, so nothing is known and nothing was checked"


def asked(requirements: str) -> list[dict[str, Any]]:
    """Ask about pinned requirements; empty when there was no answer."""
    with tempfile.TemporaryDirectory() as directory:
        pinned, answer = Path(directory, "requirements.txt"), Path(directory, "answer.json")
        pinned.write_text(requirements, encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--disable-pip", "--no-deps"]
        try:
            subprocess.run(  # noqa: S603 - constants and two paths of our own
                [*command, "--timeout", "10", "-r", pinned, "--format", "json", "-o", answer],
                capture_output=True,
                check=False,
                timeout=120,
            )
            found: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
        except (subprocess.TimeoutExpired, OSError, ValueError, KeyError):
            return []
        return found


def report(dependencies: list[dict[str, Any]]) -> int:
    """Say what is known, and return the exit code."""
    answered = [each for each in dependencies if "skip_reason" not in each]
    if not answered:
        print(UNKNOWN)
        return 0
    vulnerable = [each for each in answered if each["vulns"]]
    for each in vulnerable:
        for flaw in each["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            print(f"audit: {each['name']} {each['version']}: {flaw['id']}, fixed in {fixed}")
    print(f"audit: {len(answered)} of {len(dependencies)} packages known, {len(vulnerable)} vulnerable")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(report(asked(sys.stdin.read())))
