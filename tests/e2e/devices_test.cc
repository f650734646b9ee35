// What stands behind an address: a scan of it, made after the log-in raised a question, speaks at that log-in.
#include <gtest/gtest.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

constexpr std::string_view kStranger = "5.9.9.9";

// Alice from her own line on twenty working days, then once from elsewhere.
std::string vpn_log() {
  std::string log;
  for (int day = 2; day <= 27; ++day) {
    if (day % 7 == 0 || day % 7 == 1) continue;
    const std::string date = (day < 10 ? "0" : "") + std::to_string(day);
    log += "<166>Nov " + date +
           " 2026 08:15:30 gw1 : %ASA-6-722022: Group <Staff> User <alice> IP <5.1.1.7> TCP SVC "
           "connection established without compression\n";
  }
  log += "<166>Nov 28 2026 03:15:30 gw1 : %ASA-6-722022: Group <Staff> User <alice> IP <" + std::string(kStranger) +
         "> TCP SVC connection established without compression\n";
  return log;
}

// 2026-11-30, two days after the log-in.
std::string nmap(std::string_view address, std::string_view ports) {
  return "<?xml version=\"1.0\"?>\n<nmaprun scanner=\"nmap\" start=\"1796025600\" version=\"7.93\">\n"
         "<host starttime=\"1796025600\" endtime=\"1796025660\"><status state=\"up\"/><address addr=\"" +
         std::string(address) + "\" addrtype=\"ipv4\"/>\n<ports>" + std::string(ports) +
         "</ports></host>\n</nmaprun>\n";
}

constexpr std::string_view kImplantPort =
    "<port protocol=\"tcp\" portid=\"63256\"><state state=\"open\" reason=\"syn-ack\"/></port>";
constexpr std::string_view kCamera =
    "<port protocol=\"tcp\" portid=\"8080\"><state state=\"open\"/><service name=\"http\" product=\"GoAhead "
    "WebServer\"/></port>";

class Devices : public ::testing::Test {
 protected:
  HuntRun with(const std::string& name, const std::string& scan) {
    return hunt({vpn_, dir_.write(name, scan).string()});
  }
  static std::string login_of(const HuntRun& h) {
    std::string rest = h.findings;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const std::string line = rest.substr(0, end);
      rest = end == rest.npos ? "" : rest.substr(end + 1);
      if (line.find("\"kind\":\"login\"") != line.npos && line.find(kStranger) != line.npos) return line;
    }
    return {};
  }

  TempDir dir_;
  std::string vpn_ = dir_.write("vpn.log", vpn_log()).string();
};

TEST_F(Devices, AnOpenPortThatNmapFoundAfterTheLogInIsEvidenceForIt) {
  const HuntRun without = hunt({vpn_});
  EXPECT_EQ(without.findings.find("soho-source"), std::string::npos);
  const HuntRun h = with("scan.xml", nmap(kStranger, kImplantPort));
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  EXPECT_EQ(h.summary.total.events_by_format.at("nmap_xml"), 1U);
  const std::string login = login_of(h);
  EXPECT_NE(login.find("\"soho-source\""), login.npos) << h.findings;
  EXPECT_NE(login.find("5.9.9.9 answered on port 63256 (alogin bind shell; ASUS routers), in a scan of 2026-11-30"),
            login.npos)
      << h.findings;
}

TEST_F(Devices, ABannerOutOfAShodanDownloadIsEvidence) {
  const HuntRun h = with(
      "shodan.json",
      R"({"ip_str":"5.9.9.9","port":8080,"transport":"tcp","timestamp":"2026-11-29T10:00:00.000000","data":"HTTP/1.1 401 Unauthorized\r\nServer: GoAhead-Webs\r\n\r\n","hostnames":[],"_shodan":{"module":"http"}})"
      "\n");
  const std::string login = login_of(h);
  EXPECT_NE(login.find("5.9.9.9 showed \\\"goahead\\\""), login.npos) << h.findings << h.run.err;
}

TEST_F(Devices, OfAnotherAddressSaysNothing) {
  const HuntRun h = with("scan.xml", nmap("5.9.9.10", kImplantPort));
  EXPECT_EQ(login_of(h).find("soho-source"), std::string::npos) << h.findings;
}

// A scan is nothing that anybody did: it adds no days to the history and does not age what was learned.
TEST_F(Devices, AScanOfAnotherYearMovesNoClock) {
  std::string old = nmap("5.77.77.77", kCamera);
  for (std::size_t at = 0; (at = old.find("17960", at)) != old.npos;) old.replace(at, 5, "19960");
  const HuntRun h = with("scan.xml", old);
  EXPECT_EQ(h.findings, hunt({vpn_}).findings);
}

}  // namespace
}  // namespace orbwatch::test
