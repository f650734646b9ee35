#!/usr/bin/env python3
"""User time per flow record: orbwatch beside nfcapd (Debian package nfdump) on the same capture.

    bench/peers/nfcapd.py build/release/bench/decode_flow_bench [v9|ipfix|v5] [RECORDS]

nfcapd reads no captures, so its datagrams are sent over the loopback interface. Only time spent in user mode is compared: what the
kernel needs for the socket is not counted against nfcapd, and reading the file is not counted for orbwatch. nfcapd also writes its own
uncompressed file (to /dev/shm if there is one); orbwatch fills events in memory. Sending is paced so that nothing is lost; the
script fails if nfcapd did not record every flow.
"""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time


def payloads(name):
    with open(name, "rb") as f:
        data = f.read()
    at = 24
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 + 42 : at + 16 + size]
        at += 16 + size


def udp_queue(port):
    """Bytes that wait in the receive queue of the socket bound to `port`."""
    with open("/proc/net/udp") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            if int(words[1].split(":")[1], 16) == port:
                return int(words[4].split(":")[1], 16)
    return None


def main():
    if len(sys.argv) < 2 or shutil.which("nfcapd") is None:
        sys.exit("usage: nfcapd.py DECODE_FLOW_BENCH [v9|ipfix|v5] [RECORDS]   (needs the package nfdump)")
    bench = sys.argv[1]
    protocol = sys.argv[2] if len(sys.argv) > 2 else "v9"
    records = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        pcap = os.path.join(folder, "flows.pcap")
        subprocess.run([bench, "--write", pcap, protocol, str(records)], check=True)

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        flows = os.path.join(folder, "flows")
        os.mkdir(flows)
        daemon = subprocess.Popen(
            ["nfcapd", "-4", "-b", "127.0.0.1", "-p", str(port), "-w", flows, "-t", "3600", "-B", "4000000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            if udp_queue(port) is not None:
                break
            time.sleep(0.05)
        else:
            daemon.kill()
            sys.exit("nfcapd did not open its socket")
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i, payload in enumerate(payloads(pcap)):
            out.sendto(payload, ("127.0.0.1", port))
            if i % 16 == 15:
                while udp_queue(port) > 50_000:
                    time.sleep(0.0005)
        while udp_queue(port) > 0:
            time.sleep(0.01)
        time.sleep(0.2)
        daemon.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(daemon.pid, 0)
        daemon.returncode = status
        got = 0
        for name in sorted(os.listdir(flows)):
            text = subprocess.run(["nfdump", "-I", "-r", os.path.join(flows, name)], capture_output=True, text=True).stdout
            found = re.search(r"^Flows: (\d+)", text, re.M)
            got += int(found.group(1)) if found else 0
        if got != records:
            sys.exit(f"nfcapd recorded {got} of {records} flows: the figures would not be comparable")

        text = subprocess.run([bench, "--decode", pcap], check=True, capture_output=True, text=True).stdout
        found = re.match(r"(\d+) records, ([\d.]+) s user", text)
        if not found or int(found.group(1)) != records:
            sys.exit(f"orbwatch: {text.strip()}: not {records} records")
        theirs = usage.ru_utime / records * 1e9
        ours = float(found.group(2)) / records * 1e9
        version = subprocess.run(["nfdump", "-V"], capture_output=True, text=True).stdout.strip()
        print(f"{protocol}, {records} records, user time a record")
        print(f"  nfcapd   {theirs:7.1f} ns   ({version})")
        print(f"  orbwatch {ours:7.1f} ns")
        print(f"  ratio    {theirs / ours:7.1f}" if ours > 0 else "  too few records to measure")


main()
