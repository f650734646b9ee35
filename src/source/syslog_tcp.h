// Syslog over TCP (RFC 6587) and TLS (RFC 5425), and IPFIX over both (RFC 7011, 10.4) on the same server.
#pragma once

#include <memory>

#include "source/tcp_server.h"

namespace orbwatch::source {

// Arrivals are of kind kLines, cut by SyslogCutter (cutters.h), each of one connection. Plain syslog has no
// acknowledgement: what lies in the kernel's buffers when the process is killed is lost and the sender does not know.
std::unique_ptr<Collector> make_syslog_tcp(const TcpOptions& options, Intake& intake, Log log = {});

// Arrivals are of kind kDatagrams: one IPFIX message each, cut by IpfixCutter.
std::unique_ptr<Collector> make_ipfix_tcp(const TcpOptions& options, Intake& intake, Log log = {});

}  // namespace orbwatch::source
