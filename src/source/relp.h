// RELP, the Reliable Event Logging Protocol, over TCP and TLS: syslog whose every message is acknowledged.
// Specification: doc/relp.html of librelp 1.11.0, versions 0 and 1 (which differ in nothing that is sent here); what it
// leaves open is as in librelp, which rsyslog sends with.
//
// librelp's own receiver is not used: it acknowledges each message whatever the program says about it, keeps without
// limit (and for good) the answers that a sender does not fetch, and knows no limit of connections or of idle time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "source/tcp_server.h"

namespace orbwatch::source {

// A frame is `TXNR SP COMMAND SP DATALEN [SP DATA] LF`. Messages (`syslog`) are given as lines, without LF, CR and NUL
// at their end, a line feed within as a space, longer ones than `longest` cut off; empty ones count as such and are
// acknowledged. A frame that is none, a number out of turn, a command that is unknown or not allowed at that point, and
// an `open` above 4 KiB end the stream (`invalid`). Any split of the bytes gives the same records, answers and counts.
// Memory: one record, one `open`, and 24 bytes for each message that was not answered yet.
class RelpCutter final : public RecordCutter {
 public:
  explicit RelpCutter(std::size_t longest) : longest_(longest) {}  // bytes of a record, at least 1
  bool feed(std::string_view bytes, std::string& out) override;
  void finish(std::string& out) override;
  bool acknowledges() const override { return true; }
  void answer(std::string& out) override;
  void farewell(std::string& out) const override;

 private:
  enum class Part : std::uint8_t { kNumber, kCommand, kLength, kData, kEnd };
  enum class Command : std::uint8_t { kOpen, kSyslog, kClose, kHint };

  bool read_header(char c);  // false, as below: the stream ends here
  bool begin_frame();
  bool end_frame(std::string& out);
  bool open();
  void give(std::string& out);
  void respond(std::string_view data);
  bool refuse(std::string_view why);

  std::size_t longest_;
  std::string answers_;
  std::uint32_t next_ = 1;  // the number that the next command must have
  bool opened_ = false;
  bool over_ = false;  // nothing more is read

  // Of the present frame:
  Part part_ = Part::kNumber;
  std::uint32_t digits_ = 0;  // of the number that is being read
  std::uint32_t number_ = 0;
  std::uint32_t length_ = 0;  // of the data
  std::uint32_t seen_ = 0;    // of the data
  Command command_ = Command::kHint;
  std::string word_;  // the command
  std::string data_;  // as much as is kept
};

// Arrivals are of kind kLines. A message is acknowledged when the Intake has taken it; while it takes nothing no answer
// is sent and nothing is read. A message may come twice when its connection ends after it was taken and before the
// answer reached the sender.
std::unique_ptr<Collector> make_relp(const TcpOptions& options, Intake& intake, Log log = {});

}  // namespace orbwatch::source
