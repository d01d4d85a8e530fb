"""A network for the benchmarks alone: a loopback interface, and the congestion control that every kernel has.

The host's own may pace: BBR sends each segment by a timer. On a loopback there is nothing to pace for, and what is measured
where answers are long is the timer.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")

# From <linux/sched.h> and <linux/sockios.h>.
CLONE_NEWUSER, CLONE_NEWNET = 0x1000_0000, 0x4000_0000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def enter_own() -> bool:
    """Moves this process, and what it starts from now on, into a new network namespace. False where none can be had, and then
    nothing has changed. Raises OSError if there is one and it cannot be set up."""
    user, group = os.getuid(), os.getgid()
    if not unshare(CLONE_NEWNET):
        # Who is not root may do so in a user namespace, where it stays who it was.
        if not unshare(CLONE_NEWUSER | CLONE_NEWNET):
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    raise_loopback()
    # A container may have /proc/sys read-only; the results say which one it was.
    with contextlib.suppress(OSError):
        CONGESTION_CONTROL.write_text("reno")
    return True


def describe(is_own: bool) -> str:
    """In a few words, for the results."""
    whose = "a network namespace of its own" if is_own else "the host's network"
    return f"{whose}, congestion control {CONGESTION_CONTROL.read_text().strip()}"


def unshare(flags: int) -> bool:
    return ctypes.CDLL(None).unshare(flags) == 0


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
