"""What of a run of the pipeline is DVC's own: `python -m benchmarks.dvc_share [ARGUMENT …]`.

It runs `dvc repro ARGUMENT …` where it stands. What runs again decides the figure: in a fresh clone it is all
of the demo. Processor time of the process in which DVC runs is DVC's; that of the processes which it started
and waited for is the stages' (their start included). A busy machine changes little of either.
"""

import resource
import sys
import time

from dvc.cli import main as dvc  # type: ignore[import-untyped]


def main(arguments: list[str]) -> int:
    """Run `dvc repro`, print both times and the share; return DVC's exit code."""
    started, before = time.perf_counter(), spent()
    code = dvc(["repro", *arguments])
    own, stages = (now - then for now, then in zip(spent(), before, strict=True))
    seconds = time.perf_counter() - started
    print(
        f"processor time: DVC {own:.1f} s, stages {stages:.1f} s; DVC's share {own / (own + stages):.1%}; "
        f"{seconds:.0f} s by the clock"
    )
    return int(code)


def spent() -> tuple[float, float]:
    """Return seconds of processor time: of this process, and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, children = (usage.ru_utime + usage.ru_stime for usage in used)
    return own, children


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
