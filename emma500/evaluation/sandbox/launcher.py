"""The first process of a sandbox, a script of its own: `python -I launcher.py SETTINGS`.

It runs as the root of new mount, network, process and IPC namespaces, and of a new user namespace where it is not
root outside (`unshare`). It builds a root of its own out of the system's folders, read only, with a small /tmp in
memory; gives up every capability by becoming an ordinary user; sets the limits; says that it is ready; and becomes the
program. A program whose sandbox was not ready is not evaluated.

It imports nothing of emma500, since nothing of it is there.
"""

import ctypes
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = (
    1,
    2,
    4,
    32,
    4096,
    16384,
    1 << 18,
)
_CLONE_NEWUSER = 0x10000000
_PR_SET_NO_NEW_PRIVS = 38
_MNT_DETACH = 2
_DEVICES = ("null", "zero", "urandom", "random")
_libc = ctypes.CDLL(None, use_errno=True)

Settings = dict[str, Any]


def main(settings: Settings) -> None:
    """Build the sandbox and become the program; returns only by exiting."""
    try:
        root = Path(settings["root"])
        _build_root(root, settings)
        _enter(root)
        _limit(settings)
        _drop_privileges(settings["uid"])
    except OSError as error:
        os.write(2, f"no sandbox: {error}".encode())
        os._exit(1)
    os.write(settings["ready"], b"1")  # from here on an exit status is the program's own
    os.close(settings["ready"])
    environment = {"PATH": settings["path"], "HOME": "/tmp/work", "LANG": "C.UTF-8"}
    os.execve("/bin/sh", ["sh", "-c", settings["command"]], environment)


def _build_root(root: Path, settings: Settings) -> None:
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", _MS_NOSUID | _MS_NODEV, data="size=1m,mode=755")
    for folder in settings["folders"]:
        _expose(root, folder)
    (root / "dev").mkdir()
    for name in _DEVICES:
        (root / "dev" / name).touch()
        _mount(f"/dev/{name}", str(root / "dev" / name), None, _MS_BIND)
    (root / "proc").mkdir()
    _mount("proc", str(root / "proc"), "proc", _MS_NOSUID | _MS_NODEV)
    (root / "tmp").mkdir()
    size = settings["disk_bytes"]
    _mount(
        "tmpfs",
        str(root / "tmp"),
        "tmpfs",
        _MS_NOSUID | _MS_NODEV,
        data=f"size={size},nr_inodes=4096,mode=1777",
    )
    work = root / "tmp" / "work"
    work.mkdir()
    work.chmod(0o777)
    for source in Path(settings["inputs"]).iterdir():
        target = work / source.name
        target.write_bytes(source.read_bytes())
        target.chmod(0o755)


def _expose(root: Path, folder: str) -> None:
    """Show a folder of the system, read only; a link stays the link it is."""
    source, target = Path(folder), root / folder.lstrip("/")
    if target.exists() or not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    target.mkdir()
    _mount(folder, str(target), None, _MS_BIND)
    _mount(None, str(target), None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _enter(root: Path) -> None:
    os.chdir(root)
    _checked(_libc.syscall(_pivot_root(), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _MNT_DETACH), "umount of the old root")
    _mount(None, "/", None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    os.chdir("/tmp/work")


def _pivot_root() -> int:
    numbers = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
    if os.uname().machine not in numbers:
        raise OSError(f"pivot_root is not known on {os.uname().machine}")
    return numbers[os.uname().machine]


def _limit(settings: Settings) -> None:
    limits = {
        resource.RLIMIT_CPU: settings["cpu_seconds"],
        resource.RLIMIT_FSIZE: settings["disk_bytes"],
        resource.RLIMIT_NPROC: settings["processes"],
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        getattr(resource, settings["memory_limit"]): settings["memory_bytes"],
    }
    for which, value in limits.items():
        resource.setrlimit(which, (value, value))


def _drop_privileges(uid: int) -> None:
    """Become an ordinary user: one that is mapped where there is one, else the same user of a namespace within."""
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    else:
        _checked(_libc.unshare(_CLONE_NEWUSER), "a user namespace within")
        Path("/proc/self/uid_map").write_text("65534 0 1\n")
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, *, data: str = ""
) -> None:
    arguments = [None if each is None else each.encode() for each in (source, target, kind)]
    done = _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None)
    _checked(done, f"mount of {source or target}")


def _checked(status: int, what: str) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
