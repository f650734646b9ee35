#!/usr/bin/env python3
"""Writes the flow captures and files under tests/golden that were made by hand. They are committed; run this only to change them:

    tests/support/make_flow_goldens.py tests/golden

Addresses are those of documentation (RFC 5737, RFC 3849), users are invented.
"""
import os
import struct
import sys
from ipaddress import ip_address

T = 1763800000  # 2025-11-22T08:26:40Z
EXPORTER = "192.0.2.1"
COLLECTOR = "192.0.2.250"


def ip(text):
    return ip_address(text).packed


def be(*pairs):
    """(value, bytes) pairs in network order; bytes stay as they are."""
    out = b""
    for p in pairs:
        out += p if isinstance(p, bytes) else p[0].to_bytes(p[1], "big")
    return out


# --- packets ---------------------------------------------------------------------------------------------------------------------

def udp(payload, source=EXPORTER, destination=COLLECTOR, sport=50000, dport=2055, length=None, fragment=0, protocol=17):
    body = struct.pack(">HHHH", sport, dport, length or 8 + len(payload), 0) + payload
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + ip(source) + ip(destination) + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, fragment, 64, protocol, 0)
    return head + ip(source) + ip(destination) + body


def ethernet(packet, tags=(), ethertype=None):
    kind = ethertype or (0x86DD if packet[:1] and packet[0] >> 4 == 6 else 0x0800)
    out = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
    for tag in tags:
        out += struct.pack(">HH", tag, 100)
    return out + struct.pack(">H", kind) + packet


def pcap(frames, order="<", nanoseconds=False, link=1):
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for i, frame in enumerate(frames):
        data, captured = frame if isinstance(frame, tuple) else (frame, len(frame))
        out += struct.pack(order + "IIII", T + i, 500 * (i + 1), captured, len(data)) + data[:captured]
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link, resolution=None, snap=0):
    options = b""
    if resolution is not None:
        options = struct.pack(order + "HHB3x", 9, 1, resolution) + struct.pack(order + "HH", 0, 0)
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def enhanced(order, index, ticks, data):
    head = struct.pack(order + "IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 6, head + data)


# --- flow protocols --------------------------------------------------------------------------------------------------------------

def v5(records, sampling=0, count=None):
    head = be((5, 2), (len(records) if count is None else count, 2), (3600000, 4), (T, 4), (250000000, 4), (1, 4), (0, 2), (sampling, 2))
    return head + b"".join(records)


def v5_record(source, destination, sport, dport, protocol, packets, octets, first, last, flags=0):
    return be(ip(source), ip(destination), (0, 4), (3, 2), (4, 2), (packets, 4), (octets, 4), (first, 4), (last, 4), (sport, 2),
              (dport, 2), (0, 1), (flags, 1), (protocol, 1), (0, 1), (0, 2), (0, 2), (24, 1), (24, 1), (0, 2))


def v7_record(*args, **named):
    return v5_record(*args, **named) + be((0, 4))


def v9(sets, source_id=1, count=1, uptime=3600000):
    return be((9, 2), (count, 2), (uptime, 4), (T, 4), (1, 4), (source_id, 4)) + b"".join(sets)


def ipfix(sets, domain=1, time=T):
    body = b"".join(sets)
    return be((10, 2), (16 + len(body), 2), (time, 4), (1, 4), (domain, 4)) + body


def flow_set(number, body, pad=True):
    if pad:
        body += b"\0" * (-len(body) % 4)
    return be((number, 2), (4 + len(body), 2)) + body


def spec(fields):
    out = b""
    for f in fields:
        number, length = f[0], f[1]
        out += be((number | (0x8000 if len(f) > 2 else 0), 2), (length, 2))
        if len(f) > 2:
            out += be((f[2], 4))
    return out


def template(number, fields, ipfix_set=False):
    return flow_set(2 if ipfix_set else 0, be((number, 2), (len(fields), 2)) + spec(fields))


def options_v9(number, scopes, fields):
    return flow_set(1, be((number, 2), (4 * len(scopes), 2), (4 * len(fields), 2)) + spec(scopes) + spec(fields))


def options_ipfix(number, scopes, fields):
    return flow_set(3, be((number, 2), (len(scopes) + len(fields), 2), (len(scopes), 2)) + spec(scopes) + spec(fields))


def variable(data):
    return (bytes([len(data)]) if len(data) < 255 else b"\xff" + be((len(data), 2))) + data


# Cisco ASA 9.x "flow-export event-type all": creation, denial, teardown and update with the user's name (65 bytes in real templates).
ASA = [(148, 4), (8, 4), (7, 2), (10, 2), (12, 4), (11, 2), (14, 2), (4, 1), (176, 1), (177, 1), (225, 4), (226, 4), (227, 2), (228, 2),
       (233, 1), (33002, 2), (323, 8), (152, 8), (231, 4), (232, 4), (33000, 12), (33001, 12), (40000, 20)]


def asa(connection, source, sport, destination, dport, protocol, event, extended, start, end, up=0, down=0, user=b"", icmp=(0, 0),
        translated=None):
    return be((connection, 4), ip(source), (sport, 2), (3, 2), ip(destination), (dport, 2), (4, 2), (protocol, 1), (icmp[0], 1),
              (icmp[1], 1), ip(translated or source), ip(destination), (sport, 2), (dport, 2), (event, 1), (extended, 2), (end, 8),
              (start, 8), (up, 4), (down, 4), b"\0" * 24, user.ljust(20, b"\0"))


def sflow(samples, agent=EXPORTER):
    return be((5, 4), (1, 4), ip(agent), (0, 4), (7, 4), (120000, 4), (len(samples), 4)) + b"".join(samples)


def opaque(data):
    return be((len(data), 4)) + data + b"\0" * (-len(data) % 4)


def sample(kind, body):
    return be((kind, 4)) + opaque(body)


def flow_sample(records, expanded=False, rate=1024, source=3, destination=4):
    body = be((9, 4))
    body += be((0, 4), (3, 4)) if expanded else be((3, 4))
    body += be((rate, 4), (100000, 4), (0, 4))
    body += be((0, 4), (source, 4), (0, 4), (destination, 4)) if expanded else be((source, 4), (destination, 4))
    body += be((len(records), 4)) + b"".join(sample(k, b) for k, b in records)
    return sample(3 if expanded else 1, body)


def raw_header(frame, protocol=1):
    return (1, be((protocol, 4), (len(frame) + 4, 4), (4, 4)) + opaque(frame[:128]))


def tcp(source, destination, sport, dport, flags, payload=b""):
    body = struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 8192, 0, 0) + payload
    if ":" in source:
        # with a destination options header in between
        return struct.pack(">IHBB", 6 << 28, 8 + len(body), 60, 64) + ip(source) + ip(destination) + bytes([6, 0, 1, 4, 0, 0, 0, 0]) + body
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 6, 0) + ip(source) + ip(destination) + body


PLAIN = [(8, 4), (12, 4), (10, 4), (14, 4), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (6, 1), (4, 1)]


def plain(source, destination, sport, dport, packets, octets, first, last, flags=0x1B, protocol=6):
    return be(ip(source), ip(destination), (3, 4), (4, 4), (packets, 4), (octets, 4), (first, 4), (last, 4), (sport, 2), (dport, 2),
              (flags, 1), (protocol, 1))


def main(root):
    def write(name, data):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    five = [v5_record("198.51.100.7", "203.0.113.9", 51000, 443, 6, 12, 3456, 3590000, 3599500, 0x1B),
            v5_record("198.51.100.8", "203.0.113.9", 0, 0x0800, 1, 4, 336, 3580000, 3583000),
            # The exporter's clock wrapped between the flow and the export.
            v5_record("203.0.113.10", "198.51.100.7", 53, 40000, 17, 1, 120, 0xFFFFF000, 0xFFFFF800)]

    # Classic pcap, little and big endian, micro- and nanoseconds; VLAN, QinQ, MPLS, PPPoE, IPv6, SLL.
    write("capture/netflow_v5.pcap", pcap([ethernet(udp(v5(five, sampling=0x4000 | 100)))]))
    seven = be((7, 2), (1, 2), (3600000, 4), (T, 4), (0, 4), (1, 4), (0, 4)) + v7_record(
        "198.51.100.7", "203.0.113.9", 51000, 443, 6, 12, 3456, 3590000, 3599500, 0x1B)
    mpls = b"\0\x01\0\x40" + b"\0\x02\x01\x40"
    write("capture/encapsulations.pcap", pcap([
        ethernet(udp(v5(five[:1])), tags=[0x8100]),
        ethernet(udp(v5(five[:1])), tags=[0x88A8, 0x8100]),
        ethernet(mpls + udp(v5(five[:1])), ethertype=0x8847),
        ethernet(b"\x11\0\0\x01" + struct.pack(">H", 2 + len(udp(v5(five[:1])))) + b"\0\x21" + udp(v5(five[:1])), ethertype=0x8864),
        ethernet(udp(v5(five[:1]), "2001:db8::1", "2001:db8::250")),
        ethernet(udp(seven)),
    ], order=">", nanoseconds=True))
    sll = be((0, 2), (1, 2), (6, 2), b"\x02\0\0\0\0\x01\0\0", (0x0800, 2))
    sll2 = be((0x0800, 2), (0, 2), (2, 4), (1, 2), (0, 1), (6, 1), b"\x02\0\0\0\0\x01\0\0")
    write("capture/cooked_linux.pcap", pcap([sll + udp(v5(five[:1]))], link=113))
    write("capture/cooked_linux_v2.pcap", pcap([sll2 + udp(v5(five[:1]))], link=276))
    write("capture/raw_ip.pcap", pcap([udp(v5(five[:1])), udp(v5(five[:1]), "2001:db8::1", "2001:db8::250")], link=101))
    write("capture/loopback.pcap", pcap([b"\x02\0\0\0" + udp(v5(five[:1]))], link=0))

    asa_set = flow_set(263, b"".join([
        asa(8500, "198.51.100.7", 51000, "192.0.2.10", 443, 6, 1, 0, T * 1000 - 9000, T * 1000 - 9000, user=b"CORP\\alice"),
        asa(8500, "198.51.100.7", 51000, "192.0.2.10", 443, 6, 5, 0, T * 1000 - 9000, T * 1000 - 5000, 500, 9000, b"CORP\\alice"),
        asa(8500, "198.51.100.7", 51000, "192.0.2.10", 443, 6, 2, 2030, T * 1000 - 9000, T * 1000 - 1500, 1234, 56789, b"CORP\\alice"),
        asa(0, "203.0.113.66", 40000, "192.0.2.10", 22, 6, 3, 1001, T * 1000 - 1000, T * 1000 - 1000),
        asa(0, "203.0.113.66", 40001, "192.0.2.1", 443, 6, 3, 1003, T * 1000 - 900, T * 1000 - 900),
        asa(8501, "192.0.2.77", 7, "203.0.113.5", 0, 1, 2, 2025, T * 1000 - 3000, T * 1000 - 800, 56, 56, b"bob@corp.example", (8, 0),
            "192.0.2.200"),
        asa(8502, "192.0.2.77", 7, "203.0.113.5", 0, 6, 0, 0, T * 1000, T * 1000),
    ]))
    write("capture/netflow_v9_asa.pcap", pcap([
        ethernet(udp(v9([template(263, ASA)]), dport=9999)),
        ethernet(udp(v9([asa_set], count=7), dport=9999)),
    ]))

    # Sampling by sampler, the default of the domain, application names; data before their template; unknown templates.
    sampler = PLAIN + [(48, 1), (95, 4)]
    rows = [plain("198.51.100.7", "203.0.113.9", 51000, 443, 12, 3456, 3590000, 3599500) + be((1, 1), (0x03000050, 4)),
            plain("198.51.100.8", "203.0.113.9", 51001, 443, 12, 3456, 3590000, 3599500) + be((2, 1), (0x0D0001BB, 4)),
            plain("198.51.100.9", "203.0.113.9", 51002, 443, 12, 3456, 3590000, 3599500) + be((9, 1), (0, 4))]
    write("capture/netflow_v9_sampling.pcap", pcap([
        ethernet(udp(v9([flow_set(300, b"".join(rows[:1]))]))),  # waits for its template
        ethernet(udp(v9([options_v9(256, [(1, 4)], [(48, 1), (49, 1), (50, 4)])]))),
        ethernet(udp(v9([flow_set(256, be((0, 4), (1, 1), (2, 1), (1000, 4), (0, 4), (2, 1), (2, 1), (2000, 4)))]))),
        ethernet(udp(v9([options_v9(257, [(1, 4)], [(95, 4), (96, 16)])]))),
        ethernet(udp(v9([flow_set(257, be((0, 4), (0x0D0001BB, 4)) + b"ssl".ljust(16, b"\0"))]))),
        ethernet(udp(v9([template(300, sampler), flow_set(300, b"".join(rows))]))),
        ethernet(udp(v9([flow_set(301, b"".join(rows))]))),  # its template never comes
        ethernet(udp(v9([flow_set(300, b"".join(rows))], source_id=2))),  # another observation domain
    ]))

    # pcapng: two sections of different byte order, nanoseconds, a simple packet block, an obsolete packet block, steps over the rest.
    packets = ethernet(udp(v5(five[:1])))
    little = section("<") + interface("<", 1, resolution=9) + enhanced("<", 0, T * 10**9 + 123456789, packets)
    little += block("<", 4, b"\0" * 8) + block("<", 3, struct.pack("<I", len(packets)) + packets)
    little += enhanced("<", 5, T * 10**9, packets)  # an interface that was never described
    big = section(">") + interface(">", 101) + interface(">", 1, resolution=0x80 | 10)
    big += enhanced(">", 0, T * 10**6 + 5, udp(v5(five[:1]))) + enhanced(">", 1, T * 1024 + 512, packets)
    big += block(">", 2, struct.pack(">HHIIII", 1, 0, (T * 1024) >> 32, (T * 1024) & 0xFFFFFFFF, len(packets), len(packets)) + packets)
    write("capture/sections.pcapng", little + big)

    syn = tcp("198.51.100.7", "203.0.113.9", 51000, 443, 2)
    six = tcp("2001:db8:1::7", "2001:db8:2::9", 51000, 22, 0x18, b"x" * 40)
    dns = udp(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\0\0\x01\0\x01", "198.51.100.7", "203.0.113.53", 40000, 53)
    write("capture/sflow_v5.pcap", pcap([
        ethernet(udp(sflow([
            flow_sample([raw_header(ethernet(syn, tags=[0x8100])), (1001, be((100, 4), (0, 4), (100, 4), (0, 4)))]),
            flow_sample([raw_header(ethernet(six))], expanded=True, rate=2048),
            flow_sample([raw_header(dns, protocol=11)]),
            flow_sample([(3, be((60, 4), (6, 4), ip("198.51.100.7"), ip("203.0.113.9"), (51000, 4), (443, 4), (2, 4), (0, 4)))]),
            flow_sample([(4, be((80, 4), (17, 4), ip("2001:db8::7"), ip("2001:db8::9"), (40000, 4), (53, 4), (0, 4), (0, 4))),
                         (1004, be((106, 4)) + opaque(b"alice") + be((106, 4)) + opaque(b""))]),
            flow_sample([raw_header(ethernet(b"\0\x01\x08\0\x06\x04\0\x01" + b"\0" * 20, ethertype=0x0806))]),  # ARP
            flow_sample([raw_header(ethernet(syn))], source=0x3FFFFFFF, destination=0x40000002),
            sample(2, b"\0" * 12), sample(4, b"\0" * 16), sample(5, b"\0" * 32), sample(4300 << 12 | 1, b"\0" * 8),
        ]), dport=6343)),
        ethernet(udp(sflow([flow_sample([raw_header(ethernet(syn))])])[:-20], dport=6343)),
    ]))

    short = v5(five)
    write("capture/other_packets.pcap", pcap([
        ethernet(syn),
        ethernet(dns),
        ethernet(b"\0\x01\x08\0\x06\x04\0\x01" + b"\0" * 20, ethertype=0x0806),
        ethernet(udp(v5(five), fragment=0x2000)),
        ethernet(udp(v5(five)))[:30],
        ethernet(udp(v5(five)))[:36],
        (ethernet(udp(short)), 160),                    # cut by the snapshot length: two of three records are whole
        ethernet(udp(v5(five, count=9))),               # promises more than it has, to a collector's port
        ethernet(udp(v5(five, count=9), dport=12345)),  # the same to any port: could be anything
        ethernet(udp(v5(five) + b"\x01\x02\x03\x04")),
        ethernet(udp(v9([flow_set(300, b"\x01" * 50)])[:10])),
        ethernet(udp(v9([b"\x01\x2c\0\x02"], count=1))),
        ethernet(udp(v9([flow_set(0, be((300, 2), (90, 2), (8, 2), (4, 2)))]))),
        ethernet(udp(v9([template(300, [(8, 0), (12, 0)])]))),
        ethernet(udp(v9([template(302, [(80, 6), (56, 6), (1, 4)]), flow_set(302, b"\x02" * 32)]))),  # no addresses
        ethernet(udp(v9([template(303, PLAIN), flow_set(303, plain("198.51.100.7", "203.0.113.9", 1, 2, 3, 4, 5, 6) + b"\x09" * 20)]))),
    ]))
    write("capture/cut.pcap", pcap([ethernet(udp(v5(five))), ethernet(udp(v5(five)))])[:-40])
    write("capture/damaged_length.pcap", pcap([ethernet(udp(v5(five)))]) + struct.pack("<IIII", T, 0, 0x7FFFFFFF, 60) + b"\0" * 100)

    # IPFIX: biflow, variable length, structured data, reduced sizes, NAT events, deltas, withdrawal, frames, tunnels.
    biflow = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 2), (6, 2, 29305), (1, 8), (1, 3, 29305), (2, 4), (2, 2, 29305), (152, 8),
              (153, 8)]
    named = [(27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (1, 8), (2, 8), (154, 8), (155, 8), (96, 65535), (371, 65535), (291, 65535)]
    ntp = lambda seconds: be((seconds + 2208988800, 4), (0x80000000, 4))
    nat = [(323, 8), (230, 1), (8, 4), (225, 4), (7, 2), (227, 2), (12, 4), (11, 2), (4, 1)]
    delta = [(8, 4), (12, 4), (1, 4), (158, 4), (159, 4), (4, 1), (32, 2)]
    uptime = [(8, 4), (12, 4), (85, 4), (22, 4), (21, 4), (4, 1)]
    frame = [(10, 4), (312, 2), (315, 65535)]
    inner = [(27, 16), (28, 16), (4, 1), (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (7, 2), (11, 2), (150, 4), (151, 4)]
    addresses = ip("198.51.100.7") + ip("203.0.113.9")
    messages = [
        ipfix([template(400, biflow, True), template(401, named, True), template(402, nat, True), template(403, delta, True),
               template(404, uptime, True), template(405, frame, True), template(406, inner, True)]),
        ipfix([flow_set(400, addresses + be((51000, 2), (443, 2), (6, 1), (0x02, 2), (0x12, 2), (5000, 8), (70000, 3), (40, 4), (60, 2),
                                            (T * 1000 - 60000, 8), (T * 1000 - 1000, 8)))]),
        ipfix([flow_set(401, ip("2001:db8:1::7") + ip("2001:db8:2::9") + be((51000, 2), (443, 2), (6, 1), (5000, 8), (40, 8))
                        + ntp(T - 60) + ntp(T - 50) + variable(b"https") + variable(b"alice@corp.example") + variable(b"\x03" + b"z" * 300))]),
        ipfix([flow_set(402, b"".join(
            be((T * 1000 - 5000 + i, 8), (event, 1), ip("100.64.0.7"), ip("203.0.113.40"), (51000, 2), (1024, 2), ip("198.51.100.9"), (443, 2), (6, 1))
            for i, event in enumerate([4, 5, 3, 12])))]),
        ipfix([flow_set(403, addresses + be((336, 4), (3000000, 4), (1000000, 4), (1, 1), (0x0800, 2)))]),
        ipfix([flow_set(404, addresses + be((999, 4), (1000, 4), (4000, 4), (17, 1)))]),  # nobody said when the exporter started
        ipfix([options_ipfix(410, [(144, 4)], [(160, 8), (305, 4), (306, 4)]), flow_set(410, be((7, 4), (T * 1000 - 100000, 8), (1, 4), (99, 4)))]),
        ipfix([flow_set(404, addresses + be((999, 4), (1000, 4), (4000, 4), (17, 1)))]),
        ipfix([flow_set(405, be((3, 4), (64, 2)) + variable(ethernet(syn)) + be((3, 4), (64, 2)) + variable(ethernet(b"\0" * 28, ethertype=0x0806)))]),
        ipfix([flow_set(406, ip("2001:db8:a::1") + ip("2001:db8:b::1") + be((4, 1)) + addresses
                        + be((0, 2), (0, 2), (6, 1), (1400, 4), (51000, 2), (443, 2), (T - 10, 4), (T - 5, 4)))]),
        ipfix([flow_set(2, be((404, 2), (0, 2)))]),
        ipfix([flow_set(404, addresses + be((999, 4), (1000, 4), (4000, 4), (17, 1)))]),  # withdrawn
        ipfix([]),
    ]
    write("ipfix_file/elements.ipfix", b"".join(messages))
    good = ipfix([template(400, PLAIN, True), flow_set(400, plain("198.51.100.7", "203.0.113.9", 51000, 443, 1, 2, 3, 4))])
    write("ipfix_file/damaged.ipfix", b"".join([
        good, b"\xde\xad\xbe\xef" * 5, good,
        ipfix([flow_set(2, be((200, 2), (1, 2), (8, 2), (4, 2)))]),                       # template number below 256
        ipfix([flow_set(2, be((401, 2), (9, 2), (8, 2), (4, 2)))]),                       # fewer fields than it says
        ipfix([flow_set(3, be((401, 2), (1, 2), (2, 2), (8, 2), (4, 2)))]),               # more scopes than fields
        ipfix([flow_set(2, be((402, 2), (1, 2), (96, 2), (65535, 2))), flow_set(402, variable(b"alone"))]),
        ipfix([template(403, [(8, 4), (96, 65535)], True), flow_set(403, ip("198.51.100.7") + b"\xff\xff\xff" + b"abc")]),
        ipfix([flow_set(400, b"\x07" * 20)]),                                             # half a record
        ipfix([be((400, 2), (3, 2))]),
        ipfix([flow_set(7, b"\0" * 4)]), ipfix([be((400, 2), (200, 2)) + b"\x01" * 40]),
        good[:-10],
    ]))

    write("flow_datagram/mixed_protocols.dat", b"".join([
        v5(five), v9([template(300, PLAIN), flow_set(300, plain("198.51.100.7", "203.0.113.9", 51000, 443, 1, 2, 3590000, 3591000))]),
        v9([flow_set(300, plain("198.51.100.8", "203.0.113.9", 51000, 443, 1, 2, 3590000, 3591000))]), seven,
        sflow([flow_sample([raw_header(ethernet(syn))])]), good, v5(five[:2])]))
    write("flow_datagram/damaged.dat", b"".join([
        v5(five), b"\x01\x02\x03\x04\x05", v5(five[:1]),
        v9([template(300, PLAIN), flow_set(300, plain("198.51.100.7", "203.0.113.9", 51000, 443, 1, 2, 3590000, 3591000))]), v5(five)[:100]]))


main(sys.argv[1])
