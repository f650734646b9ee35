// Gathers what doctor.cc judges.
#include <fcntl.h>
#include <fmt/format.h>
#include <httplib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "intel/networks.h"
#include "pipeline/knowledge.h"
#include "pipeline/mappings.h"
#include "pipeline/pseudonyms.h"
#include "serve/doctor.h"
#include "serve/metrics.h"
#include "source/collector.h"
#include "source/sockets.h"
#include "store/store.h"

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;
using pipeline::CollectorType;

// A service with this many collectors would be a larger answer than any that is known.
constexpr std::size_t kLongestAnswer = std::size_t{16} << 20;

std::string system_text(int number) { return std::strerror(number); }

std::string why_unreadable(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_text(errno);
  ::close(fd);
  return {};
}

void look_at_state(Facts& f) {
  const std::string& state = f.config.service.state;
  if (state.empty()) return;
  std::error_code error;
  f.state_exists = fs::exists(state, error);
  // Of a folder that is not there yet, the nearest one above that is.
  fs::path place = fs::absolute(state, error);
  while (!place.empty() && !fs::exists(place, error) && place != place.parent_path()) place = place.parent_path();
  if (!fs::is_directory(place, error)) {
    f.state_trouble = place.string() + " is not a folder";
  } else if (::access(place.c_str(), W_OK | X_OK) != 0) {
    f.state_trouble = system_text(errno);
  }
  struct statvfs disk{};
  if (::statvfs(place.c_str(), &disk) == 0) f.state_free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  for (fs::directory_iterator it(state + "/journal", error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const auto size = it->file_size(ignored);
    if (!ignored) f.journal_bytes += size;
  }
  // The service holds this lock as long as it runs. It is held here for a moment if nobody does: a service that starts
  // in that very moment would be started again by systemd.
  const int lock = ::open((state + "/journal/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock >= 0) {
    f.state_in_use = ::flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(lock);
  }
}

void look_at_listener(Facts& f, const std::string& of, const std::string& listen, int type) {
  const auto endpoint = source::Endpoint::parse(listen);
  if (!endpoint || endpoint->port == 0) return;
  Facts::Listener l{of, listen, Facts::Port::kFree};
  errno = 0;
  if (const auto socket = source::bind_socket(type, *endpoint); !socket) {
    const std::string& seen = socket.error().seen;
    l.port = seen.find(system_text(EADDRNOTAVAIL)) != seen.npos ? Facts::Port::kNoAddress
             : seen.find(system_text(EACCES)) != seen.npos      ? Facts::Port::kForbidden
                                                                : Facts::Port::kHeld;
  }
  f.listeners.push_back(std::move(l));
}

std::string openssl_text() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "not a PEM file of that kind";
}

// Never asks anybody.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return 0; }

void look_at_certificate(Facts& f, const pipeline::CollectorSettings& c) {
  Facts::Certificate out{c.tls.certificate, c.name, {}, 0};
  using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
  const auto open = [](const std::string& path) { return Bio(BIO_new_file(path.c_str(), "r"), &BIO_free); };
  ERR_clear_error();
  std::unique_ptr<X509, decltype(&X509_free)> certificate(nullptr, &X509_free);
  out.trouble = why_unreadable(c.tls.certificate);
  if (out.trouble.empty()) {
    if (const Bio bio = open(c.tls.certificate))
      certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (certificate == nullptr) {
      out.trouble = openssl_text();
    } else {
      std::tm end{};
      if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) == 1)
        out.not_after = static_cast<core::Nanoseconds>(::timegm(&end)) * core::kSecond;
    }
  }
  if (const std::string why = why_unreadable(c.tls.key); !why.empty()) {
    f.files.push_back({c.tls.key, "key of " + c.name, why});
  } else if (certificate != nullptr) {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(nullptr, &EVP_PKEY_free);
    if (const Bio bio = open(c.tls.key)) key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (key == nullptr) {
      f.files.push_back({c.tls.key, "key of " + c.name, openssl_text()});
    } else if (X509_check_private_key(certificate.get(), key.get()) != 1) {
      out.trouble = "it does not belong to the key " + c.tls.key;
      ERR_clear_error();
    }
  }
  f.certificates.push_back(std::move(out));
}

void look_at_files(Facts& f) {
  const auto file = [&f](const std::string& path, const std::string& use) {
    if (!path.empty()) f.files.push_back({path, use, why_unreadable(path)});
  };
  for (const auto& c : f.config.service.collect) {
    if (c.tls.certificate.empty()) continue;
    look_at_certificate(f, c);
    file(c.tls.client_ca, "authority of " + c.name);
  }
  for (const std::string& path : f.config.indicators) file(path, "indicators");
  for (const auto& o : f.config.service.outputs) {
    for (const std::string& path :
         {o.secret_file, o.authorization_file, o.password_file, o.ca_file, o.certificate_file, o.key_file})
      file(path, "output " + o.name);
  }
  if (const std::string& path = f.config.service.pseudonyms.key_file; !path.empty()) {
    const auto key = pipeline::PseudonymKey::load(path);
    f.files.push_back({path, "key of pseudonyms", key ? "" : key.error().text()});
  }
  if (const auto known = pipeline::load_knowledge(pipeline::sources_of("", f.config)); !known)
    f.knowledge_trouble = known.error().text();
  for (const core::Error& error : pipeline::load_mappings(f.config.mappings).errors)
    f.mapping_troubles.push_back(error.text());
  if (!f.networks_file.empty()) {
    if (const auto networks = intel::Networks::open(f.networks_file)) {
      f.networks_built = networks->info().built;
    } else {
      f.networks_trouble = networks.error().text();
    }
  }
}

void ask_service(Facts& f, const std::string& ask) {
  f.service_address = ask.empty() ? f.config.service.metrics_listen : ask;
  if (f.service_address.empty()) return;
  const auto endpoint = source::Endpoint::parse(f.service_address);
  if (!endpoint) {
    f.service_trouble = endpoint.error().text();
    return;
  }
  if (endpoint->port == 0) {
    f.service_trouble = "port 0 is another one at each start";
    return;
  }
  // Every address of this computer is reached over the loopback, too.
  std::string host = endpoint->address.present() ? endpoint->address.text() : "127.0.0.1";
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  httplib::Client client(host, endpoint->port);
  client.set_connection_timeout(3);
  client.set_read_timeout(5);
  client.set_follow_location(false);
  std::string body;
  const auto answer = client.Get("/status", [&body](const char* data, std::size_t n) {
    if (body.size() + n > kLongestAnswer) return false;
    body.append(data, n);
    return true;
  });
  if (!answer) {
    f.service_trouble = httplib::to_string(answer.error());
  } else if (answer->status != 200) {
    f.service_trouble = fmt::format("the answer's status is {}", answer->status);
  } else if (auto status = read_status(body)) {
    f.service = std::move(*status);
  } else {
    f.service_trouble = status.error().text();
  }
}

}  // namespace

Facts gather(const std::string& config_file, core::Expected<pipeline::Config> config, const std::string& networks_file,
             const std::string& ask) {
  Facts f;
  f.config_file = config_file;
  if (!config) {
    f.config_error = config.error();
    return f;
  }
  f.config = std::move(*config);
  f.networks_file = networks_file;
  f.now = source::now();
  f.store_available = store::available();
  timex clock{};
  if (const int state = ::adjtimex(&clock); state >= 0)
    f.clock_synchronised = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
  std::uint64_t most = 0;
  if (std::ifstream in("/proc/sys/net/core/rmem_max"); in >> most) f.most_receive_buffer = most;
  look_at_state(f);
  for (const auto& c : f.config.service.collect) {
    if (c.listen.empty()) continue;
    const bool datagrams = c.type == CollectorType::kSyslogUdp || c.type == CollectorType::kFlowUdp;
    look_at_listener(f, c.name, c.listen, datagrams ? SOCK_DGRAM : SOCK_STREAM);
  }
  if (!f.config.service.metrics_listen.empty())
    look_at_listener(f, "metrics", f.config.service.metrics_listen, SOCK_STREAM);
  look_at_files(f);
  ask_service(f, ask);
  return f;
}

}  // namespace orbwatch::serve
