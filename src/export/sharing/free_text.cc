#include "export/sharing/free_text.h"

#include <algorithm>
#include <string>

#include "core/text.h"

namespace orbwatch::exporting::sharing {
namespace {

using std::string_view;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// In lower case and in order. Names of products, of systems, and what stands around them in such texts. No word that is
// also a first name, a family name or a town on its own.
constexpr string_view kWords[] = {
    "aarch64",    "ac",          "agent",       "amd64",       "android",
    "anyconnect", "apache",      "applewebkit", "arm",         "armv7l",
    "asuswrt",    "asyncssh",    "axis",        "bitvise",     "boa",
    "build",      "busybox",     "c",           "caddy",       "centos",
    "chrome",     "chromium",    "cisco",       "citrix",      "client",
    "comware",    "crypto",      "curl",        "cve",         "cyberoam",
    "d",          "dahua",       "dd",          "debian",      "desktop",
    "digest",     "dlink",       "dnsmasq",     "draytek",     "dropbear",
    "edg",        "embedded",    "embedthis",   "enterprise",  "firefox",
    "firmware",   "for",         "forticlient", "fortigate",   "fortios",
    "fortissl",   "freebsd",     "ftp",         "gecko",       "globalprotect",
    "go",         "goahead",     "gui",         "hikvision",   "hipserv",
    "home",       "http",        "httpclient",  "httpd",       "huawei",
    "i686",       "iis",         "ike",         "ikev2",       "intel",
    "ios",        "ipad",        "iphone",      "ipsec",       "java",
    "jetty",      "juniper",     "khtml",       "lancom",      "libcurl",
    "libssh",     "libssh2",     "libwww",      "lighttpd",    "like",
    "linksys",    "linux",       "litespeed",   "mac",         "macintosh",
    "macos",      "micro",       "microsoft",   "mikrotik",    "mini",
    "miniupnpd",  "mips",        "mobile",      "mod",         "mozilla",
    "msie",       "netbsd",      "netgear",     "netscaler",   "nginx",
    "nt",         "open",        "openbsd",     "openconnect", "openresty",
    "openssh",    "openssl",     "openvpn",     "openwrt",     "opera",
    "opr",        "os",          "p",           "paloalto",    "pan",
    "paramiko",   "perl",        "pfsense",     "php",         "pro",
    "proftpd",    "pulse",       "pure",        "putty",       "pvpn",
    "python",     "qnap",        "release",     "requests",    "rompager",
    "romsshell",  "rosssh",      "router",      "routeros",    "rtsp",
    "ruijie",     "safari",      "secure",      "server",      "service",
    "snwl",       "softether",   "sonicwall",   "sophos",      "ssh",
    "ssl",        "sslvpn",      "strongswan",  "synology",    "telnet",
    "tenda",      "thttpd",      "tls",         "totolink",    "tplink",
    "trident",    "tunnelblick", "u",           "ubiquiti",    "ubuntu",
    "uc",         "universal",   "unix",        "upnp",        "urllib3",
    "utm",        "version",     "viscosity",   "vpn",         "vpnc",
    "vsftpd",     "watchguard",  "web",         "webs",        "webserver",
    "win32",      "win64",       "windows",     "wireguard",   "wow64",
    "wrt",        "x",           "x11",         "x64",         "x86",
    "xiongmai",   "zyxel",
};
static_assert(std::ranges::is_sorted(kWords));

// "5.0", "2019.78", "8p1", "v6", "4ubuntu0", "20100101" (a constant of one browser). Begins with a digit, or "v" and
// one; digits in groups of at most five; at most two letters that are no system's name.
bool is_version(string_view word) {
  if (word == "20100101") return true;
  if (word.size() > 1 && (word.front() == 'v' || word.front() == 'r')) word.remove_prefix(1);
  if (word.empty() || word.size() > 16 || !is_digit(word.front())) return false;
  std::size_t digits = 0;
  std::string letters;
  for (const char c : word) {
    digits = is_digit(c) ? digits + 1 : 0;
    if (digits > 5) return false;
    if (is_letter(c)) letters += c;
  }
  return letters.size() <= 2 || std::ranges::binary_search(kWords, string_view(letters));
}

}  // namespace

bool is_software_text(string_view text) {
  if (text.empty() || text.size() > kLongestText) return false;
  std::size_t numbers = 0;  // digits of groups that stand side by side: "12345 67890" is no version
  bool known = false;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    if (is_letter(c) || is_digit(c)) {
      word += core::lower_char(c);
      continue;
    }
    if (string_view(" /._-+;:,()").find(c) == string_view::npos) return false;
    if (word.empty()) continue;
    if (std::ranges::binary_search(kWords, string_view(word))) {
      known = true;
      numbers = 0;
    } else if (is_version(word)) {
      numbers += static_cast<std::size_t>(std::ranges::count_if(word, is_digit));
      if (numbers > 12) return false;
    } else {
      return false;
    }
    word.clear();
  }
  return known;
}

bool is_plain_name(string_view text) {
  if (text.empty() || text.size() > kLongestName || !(is_letter(text.front()) || is_digit(text.front()))) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_letter(c) || is_digit(c) || string_view(" ._-+/()").find(c) != string_view::npos; });
}

bool is_hex_of(string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace orbwatch::exporting::sharing
