// What the decoders of scans and of scan databases share: events of class `device`, and the facts that zgrab2, Shodan
// and Censys tell under the same names.
//
// In a device event `source` is the device that was observed: source.ip, source.port and network.iana_number are the
// open port. Banners are one line of at most 200 bytes.
#pragma once

#include <string>
#include <string_view>

#include "decode/decoder.h"
#include "decode/json_record.h"

namespace orbwatch::decode {

// Makes an event an observation of a device.
void put_observed(Event& e);

// The next observation of several that a record holds: it begins as `device`.
Event& next_observation(Parts& parts, const Event& device);

// What was said of one service. Views into the record.
struct ServiceFacts {
  std::string_view banner;        // as sent, may hold several lines
  std::string_view server;        // HTTP Server header
  std::string_view authenticate;  // HTTP WWW-Authenticate header: the realm often names the router
  std::string_view title;         // of the page
  std::string_view ssh;           // "SSH-2.0-dropbear_2019.78"
  std::string_view product, product_version;
  std::string_view subject, issuer;  // distinguished names of the leaf certificate
  std::string_view certificate;      // its hash: SHA-256, else SHA-1; hex, colons allowed
  std::string_view jarm, ja4s, ja3s;
  std::string_view tls_version;
};

// Takes what it knows of a member and of all below it, to a depth of 12. The first of each fact counts.
void take_facts(ServiceFacts& facts, std::string_view parent, std::string_view key, const json::Value& value);

// Fills banner, certificate, server_fingerprint (JARM, else JA4S, else JA3S) and protocol_version. The banner is what
// the service sent of itself; a product that a scanner made of it and that does not stand in it follows in parentheses.
// `buffer` is scratch.
void put_facts(Event& e, const ServiceFacts& facts, std::string& buffer);

// One line of printable text out of what a service sent: runs of blanks and control characters become one blank, bytes
// that are not UTF-8 (telnet's negotiation) are left out. Empty if nothing is left. An HTTP response gives its Server
// and WWW-Authenticate headers.
std::string banner_line(std::string_view sent);
Symbol banner_symbol(std::string_view sent);

// Scanners write bytes that are not printable as \xHH; `out` gets the text with them as they were.
void unescape_bytes(std::string_view text, std::string& out);

// A name of at most 256 bytes; empty for "".
Symbol short_symbol(std::string_view text);

// Moves behind a JSON token (with blanks before it); false and unmoved if it is another.
bool skip_token(std::string_view& text, std::string_view token);
// Behind any string without escapes.
bool skip_string(std::string_view& text);

}  // namespace orbwatch::decode
