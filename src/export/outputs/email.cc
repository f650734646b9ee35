// One e-mail for each message, over SMTP by libcurl. Plain text, quoted-printable (RFC 2045), headers by RFC 5322; what
// comes from logs enters a header only through RFC 2047's encoded words, so that no log can add a header or a
// recipient.
#include <fmt/format.h>

#include <chrono>

#include "core/text.h"
#include "core/time.h"
#include "export/digest.h"
#include "export/files.h"
#include "export/finding_words.h"
#include "export/outputs/curl_call.h"
#include "export/outputs/email_text.h"
#include "export/outputs/make.h"

namespace orbwatch::exporting {
namespace {

struct Upload {
  std::string_view rest;
};
std::size_t give(char* to, std::size_t size, std::size_t count, void* from) {
  auto& upload = *static_cast<Upload*>(from);
  const std::size_t n = std::min(size * count, upload.rest.size());
  upload.rest.copy(to, n);
  upload.rest.remove_prefix(n);
  return n;
}

class EmailOutput final : public Output {
 public:
  EmailOutput(OutputSettings settings, std::string password)
      : settings_(std::move(settings)), password_(std::move(password)) {}

  Delivered deliver(const Message& message, std::stop_token stop) override {
    CURL* curl = call_.prepare(settings_, std::move(stop));
    if (curl == nullptr) return try_again("libcurl could not be initialised");
    const bool tls = settings_.security == "tls";
    const bool plain = settings_.security == "none";
    const bool six = settings_.host.find(':') != std::string::npos;
    const std::string url = fmt::format("{}://{}:{}/", tls ? "smtps" : "smtp",
                                        six ? "[" + settings_.host + "]" : settings_.host, settings_.port);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string mail = email_text(message, settings_.from, settings_.to,
                                        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    CurlList recipients;
    for (const std::string& address : settings_.to) recipients.add("<" + address + ">");
    const std::string from = "<" + settings_.from + ">";
    Upload upload{mail};
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!settings_.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, password_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);  // servers close what is idle
    const CurlCall::Result result = call_.perform();
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, nullptr);
    if (result.code == CURLE_OK) return {};
    const bool answered =
        result.code == CURLE_SEND_ERROR || result.code == CURLE_RECV_ERROR || result.code == CURLE_WEIRD_SERVER_REPLY;
    const std::string seen = fmt::format("SMTP reply {}", result.response);
    // 530, 534, 535, 538: how one logs in is at fault, not this message.
    const bool login =
        result.response == 530 || result.response == 534 || result.response == 535 || result.response == 538;
    if (answered && result.response >= 500 && result.response < 600 && !login)
      return refused(target() + " refused the message or a recipient", seen);
    if (answered && result.response >= 400) return try_again(target() + " could not take the message", seen);
    return try_again(target() + " was not reached", result.detail);
  }

  std::string target() const override { return "email " + settings_.host; }

 private:
  OutputSettings settings_;
  std::string password_;
  CurlCall call_;
};

}  // namespace

core::Expected<std::unique_ptr<Output>> make_email_output(const OutputSettings& settings) {
  std::string password;
  if (!settings.password_file.empty()) {
    auto text = read_secret(settings.password_file);
    if (!text) return std::unexpected(text.error());
    password = std::move(*text);
  }
  return std::make_unique<EmailOutput>(settings, std::move(password));
}

}  // namespace orbwatch::exporting
