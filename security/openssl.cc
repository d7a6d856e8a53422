#include "security/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "absl/strings/str_cat.h"

namespace internode::security {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

BioPtr Reading(absl::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key that is encrypted is refused: there is nobody to ask for a password.
int NoPassword(char*, int, int, void*) { return 0; }

std::string TextOf(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const ASN1_IA5STRING* const text = name->d.dNSName;
    return absl::StrCat(
        "DNS:", absl::string_view(
                    reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<size_t>(ASN1_STRING_length(text))));
  }
  if (name->type == GEN_IPADD) {
    const ASN1_OCTET_STRING* const address = name->d.iPAddress;
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, ASN1_STRING_get0_data(address), text.data(),
                  text.size()) != nullptr) {
      return absl::StrCat("IP:", text.data());
    }
  }
  return "";
}

}  // namespace

absl::Status OpensslError(absl::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", text.data()));
}

absl::StatusOr<X509Ptr> ParseCertificate(absl::string_view pem,
                                         absl::string_view what) {
  const BioPtr bio = Reading(pem);
  X509Ptr certificate(
      PEM_read_bio_X509(bio.get(), nullptr, &NoPassword, nullptr));
  ERR_clear_error();
  if (certificate != nullptr) return certificate;
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is no certificate in PEM form"));
}

absl::StatusOr<KeyPtr> ParseKey(absl::string_view pem, absl::string_view what) {
  const BioPtr bio = Reading(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassword, nullptr));
  ERR_clear_error();
  if (key != nullptr) return key;
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is no private key in PEM form without a password"));
}

std::string NamesOf(X509* certificate) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get());
       ++i) {
    const std::string name = TextOf(sk_GENERAL_NAME_value(names.get(), i));
    if (name.empty()) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", name);
  }
  return text;
}

}  // namespace internode::security
