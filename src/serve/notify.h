// What systemd wants to know of a service of Type=notify (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET
// names. Does nothing where there is none.
#pragma once

#include <chrono>
#include <string_view>

namespace orbwatch::serve {

// "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=...", "WATCHDOG=1"; several on lines of their own.
void notify(std::string_view state);

// How often "WATCHDOG=1" is due, half of what WATCHDOG_USEC allows; 0 if nobody waits for it.
std::chrono::milliseconds watchdog_interval();

}  // namespace orbwatch::serve
