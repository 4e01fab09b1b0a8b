"""Gives programs a part of the processors, by control groups of the kernel, version 1 (`cpu`) or 2 (`cpu.max`).

Where no group can be made it says why: nothing is measured then.
"""
import errno
import os
import pathlib
import time

# The kernel's default: longer than the 5 ms in which it hands a quota to processors, and than what fills their caches anew.
PERIOD_US = 100_000


class Quota:
    """A control group of our own whose processes have so many cores together; removed at the end of `with`."""

    def __init__(self, cores):
        self.cores = cores

    def __enter__(self):
        faults = []
        for parent, version in _places():
            group = parent / f"boomgate-bench-{os.getpid()}-{time.monotonic_ns()}"
            try:
                group.mkdir()
            except OSError as error:
                faults.append(f"{group.parent}: {error.strerror}")
                continue
            self.group, self.version = group, version
            try:
                self._limit()
                return self
            except OSError as error:
                faults.append(f"{group}: {error.strerror}")
                group.rmdir()
        raise RuntimeError("no control group for processors can be made here (root can, or systemd-run --scope -p Delegate=yes): "
                           + ("; ".join(faults) or "no controller `cpu` is mounted"))

    def _limit(self):
        quota = round(self.cores * PERIOD_US)
        if self.version == 1:
            (self.group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.group / "cpu.cfs_quota_us").write_text(str(quota))
            said = int((self.group / "cpu.cfs_quota_us").read_text())
        else:
            (self.group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            said = int((self.group / "cpu.max").read_text().split()[0])
        if said != quota:
            raise OSError(errno.EINVAL, f"a quota of {said} us, where {quota} was set")

    def command(self, command):
        """The command, so that it runs in the group from its first instruction on."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', self.group / "cgroup.procs", *command]

    def throttled(self):
        """How many periods there were, and in how many of them the group used all that it had."""
        text = (self.group / "cpu.stat").read_text()
        values = dict(line.split() for line in text.splitlines())
        return int(values["nr_periods"]), int(values["nr_throttled"])

    def __exit__(self, *_):
        # What ran in it has ended, but the kernel may need a moment to know.
        for _ in range(50):
            try:
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.1)


def _places():
    """Folders in which a group may be made, with the version: below our own group, then beside it, then at the top."""
    own = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        root, mounted = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup" and "cpu" in options.split(","):
            mine = next((path for _, names, path in own if "cpu" in names.split(",")), "/")
            for path in dict.fromkeys((mine, "/")):
                yield _below(mounted, root, path), 1
        if kind == "cgroup2":
            mine = next((path for number, _, path in own if number == "0"), "/")
            for path in dict.fromkeys((mine, str(pathlib.PurePath(mine).parent), "/")):
                folder = _below(mounted, root, path)
                control = folder / "cgroup.subtree_control"
                if control.exists() and "cpu" in control.read_text().split():
                    yield folder, 2


def _below(mounted, root, path):
    """Where a group is seen: mounts may show a part of the tree."""
    relative = os.path.relpath(path, root) if path.startswith(root) else path.lstrip("/")
    return pathlib.Path(mounted) / relative
