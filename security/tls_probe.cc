#include "security/tls_probe.h"

#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "security/certificate.h"
#include "security/openssl.h"
#include "security/private_file.h"

namespace internode::security {
namespace {

struct HostAndPort {
  std::string host;
  std::string port;
};

HostAndPort SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {address, ""};
  std::string host = address.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  }
  return {host, address.substr(colon + 1)};
}

std::string DayText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

absl::Status Fault(absl::string_view why) {
  return absl::UnauthenticatedError(why);
}

// OpenSSL writes to sockets whose other end may be gone: no signal for that.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    was_pending_ =
        sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    const timespec none = {};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &none);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

// A socket that is waited for until a deadline.
class Socket {
 public:
  explicit Socket(absl::Time deadline) : deadline_(deadline) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  bool Connect(const HostAndPort& to) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found) != 0) {
      return false;
    }
    const std::unique_ptr<addrinfo, Free<freeaddrinfo>> owned(found);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      if (ConnectTo(*one)) return true;
    }
    return false;
  }

  // Until it can be read, or written; false: the deadline passed.
  bool Await(short events) const {
    pollfd wait = {fd_, events, 0};
    while (true) {
      const absl::Duration left = deadline_ - absl::Now();
      if (left <= absl::ZeroDuration()) return false;
      const int ready =
          poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  int fd() const { return fd_; }

 private:
  bool ConnectTo(const addrinfo& to) {
    if (fd_ >= 0) close(fd_);
    fd_ = socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return false;
    if (connect(fd_, to.ai_addr, to.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS || !Await(POLLOUT)) return false;
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
           error == 0;
  }

  const absl::Time deadline_;
  int fd_ = -1;
};

// Goes on, to see all of it; the first fault stays the connection's result.
int LookOn(int /*ok*/, X509_STORE_CTX* /*store*/) { return 1; }

absl::StatusOr<SslContextPtr> NewContext(const TlsFiles& files) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return OpensslError("cannot use TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // gRPC's servers want it said.
  constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2.data(), kHttp2.size());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &LookOn);
  if (!files.ca.empty() &&
      SSL_CTX_load_verify_file(context.get(), files.ca.c_str()) != 1) {
    return OpensslError(absl::StrCat("cannot read '", files.ca, "'"));
  }
  if (!files.certificate.empty() &&
      (SSL_CTX_use_certificate_chain_file(context.get(),
                                          files.certificate.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(),
                                   SSL_FILETYPE_PEM) != 1)) {
    return OpensslError(absl::StrCat("cannot read '", files.certificate, "'"));
  }
  return context;
}

// The server asks for a certificate.
int NoteAsked(SSL* /*ssl*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

// How the other end, or the bytes from it, refuse.
enum class Refusal {
  kNone,
  kNoTls,
  // Without a word, as gRPC's servers do.
  kClosed,
  kWantsCertificate,
  kOurs,
  kOther
};

Refusal RefusalOf(unsigned long error) {
  if (error == 0 || ERR_GET_LIB(error) != ERR_LIB_SSL) return Refusal::kClosed;
  switch (ERR_GET_REASON(error)) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return Refusal::kClosed;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      return Refusal::kNoTls;
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return Refusal::kWantsCertificate;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return Refusal::kOurs;
    default:
      return Refusal::kOther;
  }
}

// Runs the handshake, then waits for the first byte: a server that refuses the
// client's certificate says so only then.
class Handshake {
 public:
  Handshake(SSL* ssl, const Socket* socket) : ssl_(ssl), socket_(socket) {}

  // False: refused, cut or too slow.
  bool Run() {
    return Step([this] { return SSL_connect(ssl_); });
  }
  // False: refused or cut; true: it speaks, or says nothing.
  bool Listen() {
    char byte = 0;
    const bool heard = Step([&] { return SSL_read(ssl_, &byte, 1); });
    return heard || slow_;
  }

  Refusal refusal() const { return refusal_; }

 private:
  template <class Call>
  bool Step(const Call& call) {
    while (true) {
      ERR_clear_error();
      const int result = call();
      if (result > 0) return true;
      const int error = SSL_get_error(ssl_, result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        slow_ =
            !socket_->Await(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
        if (slow_) return false;
        continue;
      }
      refusal_ = RefusalOf(ERR_peek_error());
      ERR_clear_error();
      return false;
    }
  }

  SSL* const ssl_;
  const Socket* const socket_;
  bool slow_ = false;
  Refusal refusal_ = Refusal::kNone;
};

bool Expired(const CertificateInfo& info) { return absl::Now() > info.expires; }

// What is wrong with the scheduler's certificate.
absl::Status CheckTheirs(SSL* ssl, const TlsProbe& probe,
                         const std::string& host) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return absl::OkStatus();
  std::array<char, 256> issuer{};
  X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate.get()),
                            NID_commonName, issuer.data(), issuer.size());
  switch (SSL_get_verify_result(ssl)) {
    case X509_V_OK:
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED: {
      std::tm parts = {};
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts);
      return Fault(
          absl::StrCat("the scheduler's certificate expired at ",
                       DayText(absl::FromTM(parts, absl::UTCTimeZone())),
                       "; internode tls init DIR --renew makes another"));
    }
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Fault(
          "the scheduler's certificate is not valid yet: does a clock go "
          "wrong?");
    default:
      return Fault(absl::StrCat(
          "the scheduler's certificate, issued by '", issuer.data(),
          "', is not of the CA in ", probe.files.ca, " (",
          X509_verify_cert_error_string(SSL_get_verify_result(ssl)), ")"));
  }
  const std::string& name = probe.name.empty() ? host : probe.name;
  if (X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1 ||
      X509_check_host(certificate.get(), name.data(), name.size(), 0,
                      nullptr) == 1) {
    return absl::OkStatus();
  }
  return Fault(absl::StrCat("the scheduler's certificate is not for '", name,
                            "' but for ", NamesOf(certificate.get()),
                            "; connect by one of these, or give --tls-name"));
}

// What is wrong with ours, when it was refused, and had been `asked` for.
absl::Status CheckOurs(const TlsFiles& files, Refusal refusal, bool asked) {
  if (refusal == Refusal::kNone || !asked) return absl::OkStatus();
  if (files.certificate.empty()) {
    return Fault(
        "the scheduler asks for a certificate; give --tls-cert and --tls-key");
  }
  INTERNODE_ASSIGN_OR_RETURN(const std::string pem,
                             ReadSmallFile(files.certificate));
  INTERNODE_ASSIGN_OR_RETURN(const CertificateInfo info,
                             DescribeCertificate(pem, files.certificate));
  if (Expired(info)) {
    return Fault(absl::StrCat("the certificate in ", files.certificate,
                              " expired at ", DayText(info.expires)));
  }
  return Fault(absl::StrCat("the scheduler does not take the certificate in ",
                            files.certificate, ", issued by '", info.issuer,
                            "': is it of the CA in its --tls-client-ca?"));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        "--tls-cert and --tls-key are given together, or neither");
  }
  if (!files.ca.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(const std::string ca, ReadSmallFile(files.ca));
    INTERNODE_RETURN_IF_ERROR(DescribeCertificate(ca, files.ca).status());
  }
  if (files.certificate.empty()) return absl::OkStatus();
  KeyPair pair;
  INTERNODE_ASSIGN_OR_RETURN(pair.certificate,
                             ReadSmallFile(files.certificate));
  INTERNODE_ASSIGN_OR_RETURN(pair.key, ReadSmallFile(files.key));
  return CheckKeyPair(pair, files.certificate, files.key);
}

absl::Status DiagnoseTls(const TlsProbe& probe) {
  const WithoutSigpipe without_sigpipe;
  const HostAndPort to = SplitAddress(probe.address);
  Socket socket(absl::Now() + probe.timeout);
  if (!socket.Connect(to)) return absl::OkStatus();
  const absl::StatusOr<SslContextPtr> context = NewContext(probe.files);
  INTERNODE_RETURN_IF_ERROR(context.status());
  const SslPtr ssl(SSL_new(context->get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.fd()) != 1) {
    return OpensslError("cannot use TLS");
  }
  bool asked = false;
  SSL_set_cert_cb(ssl.get(), &NoteAsked, &asked);
  SSL_set_tlsext_host_name(ssl.get(), to.host.c_str());
  Handshake handshake(ssl.get(), &socket);
  const bool shaken = handshake.Run();
  if (probe.files.ca.empty()) {
    const Refusal refusal = handshake.refusal();
    return shaken || (refusal != Refusal::kNone && refusal != Refusal::kNoTls &&
                      refusal != Refusal::kClosed)
               ? Fault("the scheduler speaks TLS; give its CA with --tls-ca")
               : absl::OkStatus();
  }
  if (handshake.refusal() == Refusal::kNoTls) {
    return Fault(
        "the scheduler does not speak TLS; leave out --tls-ca, or start it "
        "with --tls-cert and --tls-key");
  }
  INTERNODE_RETURN_IF_ERROR(CheckTheirs(ssl.get(), probe, to.host));
  if (shaken && handshake.Listen()) return absl::OkStatus();
  return CheckOurs(probe.files, handshake.refusal(), asked);
}

}  // namespace internode::security
