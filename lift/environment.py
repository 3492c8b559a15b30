"""What a result was made with: processor, system and package versions."""

import hashlib
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "torch",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "matplotlib",
    "scipy",
    "statsmodels",
    "pandas",
)


def describe() -> dict[str, str]:
    """Describe this machine and its packages."""
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        **packages,
    }


def processor() -> str:
    """Name the kind of processor: its model, and a fingerprint of the instructions that it offers.

    Floating-point sums depend on which vector instructions libraries choose, not on the name alone.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return f"{platform.machine()} {platform.processor()}".strip()
    facts = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    kept = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features")
    print_ = hashlib.sha256("".join(facts.get(key, "") for key in kept).encode()).hexdigest()[:8]
    return f"{platform.machine()} {facts.get('model name', 'unnamed')} [{print_}]"
