#include "security/certificate.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "security/openssl.h"
#include "security/token_list.h"

namespace internode::security {
namespace {

constexpr char kOrganization[] = "Internode";
// Clocks of other machines may be behind.
constexpr absl::Duration kSlack = absl::Minutes(5);
constexpr int kSerialBits = 127;
constexpr size_t kMaxDnsName = 253;

struct Extension {
  int nid;
  std::string value;
};

struct Contents {
  std::string common_name;
  std::string unit;
  std::vector<Extension> extensions;
  absl::Time begins;
  absl::Time expires;
};

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool IsDnsName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxDnsName && name[0] != '-' &&
         name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '.' || c == '_';
         });
}

absl::StatusOr<std::string> AlternativeNames(
    const std::vector<std::string>& names) {
  if (names.empty()) {
    return absl::InvalidArgumentError("a server needs a name or an address");
  }
  std::vector<std::string> words;
  words.reserve(names.size());
  for (const std::string& name : names) {
    if (!IsAddress(name) && !IsDnsName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name.substr(0, 80),
                       "' is neither a host's name nor an IP "
                       "address"));
    }
    words.push_back(absl::StrCat(IsAddress(name) ? "IP:" : "DNS:", name));
  }
  return absl::StrJoin(words, ",");
}

bool AddName(X509_NAME* subject, const char* field, const std::string& value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(
             subject, field, MBSTRING_UTF8,
             reinterpret_cast<const unsigned char*>(value.data()),
             static_cast<int>(value.size()), -1, 0) == 1;
}

bool SetSerial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Free<BN_free>> serial(BN_new());
  return serial != nullptr &&
         BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY,
                 BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) !=
             nullptr;
}

bool SetTimes(X509* certificate, const Contents& contents) {
  time_t begins = absl::ToTimeT(contents.begins);
  time_t expires = absl::ToTimeT(contents.expires);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), begins) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), expires) != nullptr;
}

bool AddExtensions(X509* certificate, X509* issuer, const Contents& contents) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  return std::all_of(
      contents.extensions.begin(), contents.extensions.end(),
      [&](const Extension& extension) {
        const ExtensionPtr made(X509V3_EXT_conf_nid(
            nullptr, &context, extension.nid, extension.value.c_str()));
        return made != nullptr &&
               X509_add_ext(certificate, made.get(), -1) == 1;
      });
}

absl::StatusOr<KeyPair> ToPem(X509* certificate, EVP_PKEY* key) {
  const BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  const BioPtr key_bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_bio.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    return OpensslError("cannot write a certificate");
  }
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
  };
  return KeyPair{text(certificate_bio.get()), text(key_bio.get())};
}

// Without an issuer it is signed by itself.
absl::StatusOr<KeyPair> Make(const Contents& contents, X509* issuer,
                             EVP_PKEY* issuer_key) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  if (key == nullptr || certificate == nullptr) {
    return OpensslError("cannot make a key");
  }
  X509* const raw = certificate.get();
  X509_NAME* const subject = X509_get_subject_name(raw);
  const bool made =
      X509_set_version(raw, X509_VERSION_3) == 1 && SetSerial(raw) &&
      SetTimes(raw, contents) && AddName(subject, "O", kOrganization) &&
      AddName(subject, "OU", contents.unit) &&
      AddName(subject, "CN", contents.common_name) &&
      X509_set_issuer_name(
          raw, issuer == nullptr ? subject : X509_get_subject_name(issuer)) ==
          1 &&
      X509_set_pubkey(raw, key.get()) == 1 &&
      AddExtensions(raw, issuer == nullptr ? raw : issuer, contents) &&
      X509_sign(raw, issuer == nullptr ? key.get() : issuer_key, EVP_sha256()) >
          0;
  if (!made) return OpensslError("cannot make a certificate");
  return ToPem(raw, key.get());
}

absl::StatusOr<KeyPair> MakeSigned(const Contents& contents,
                                   const KeyPair& authority) {
  INTERNODE_RETURN_IF_ERROR(
      CheckKeyPair(authority, "the CA's certificate", "the CA's key"));
  INTERNODE_ASSIGN_OR_RETURN(
      const X509Ptr issuer,
      ParseCertificate(authority.certificate, "the CA's certificate"));
  INTERNODE_ASSIGN_OR_RETURN(const KeyPtr key,
                             ParseKey(authority.key, "the CA's key"));
  return Make(contents, issuer.get(), key.get());
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string FieldOf(X509_NAME* name, int nid) {
  const int index = X509_NAME_get_index_by_NID(name, nid, -1);
  if (index < 0) return "";
  const ASN1_STRING* const value =
      X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

}  // namespace

absl::StatusOr<KeyPair> NewAuthority(absl::string_view name, absl::Time now,
                                     absl::Duration lifetime) {
  Contents contents;
  contents.common_name = std::string(name);
  contents.begins = now - kSlack;
  contents.expires = now + lifetime;
  contents.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                         {NID_key_usage, "critical,keyCertSign,cRLSign"},
                         {NID_subject_key_identifier, "hash"}};
  return Make(contents, nullptr, nullptr);
}

absl::StatusOr<KeyPair> NewServerCertificate(
    const KeyPair& authority, const std::vector<std::string>& names,
    absl::Time now, absl::Duration lifetime) {
  INTERNODE_ASSIGN_OR_RETURN(const std::string alternatives,
                             AlternativeNames(names));
  Contents contents;
  // A common name has at most 64 characters; it is the others that count.
  contents.common_name = names[0].substr(0, 64);
  contents.unit = "scheduler";
  contents.begins = now - kSlack;
  contents.expires = now + lifetime;
  contents.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "serverAuth"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_authority_key_identifier, "keyid:always"},
                         {NID_subject_alt_name, alternatives}};
  return MakeSigned(contents, authority);
}

absl::StatusOr<KeyPair> NewClientCertificate(const KeyPair& authority,
                                             absl::string_view name, Role role,
                                             absl::Time now,
                                             absl::Duration lifetime) {
  INTERNODE_RETURN_IF_ERROR(CheckName(name));
  Contents contents;
  contents.common_name = std::string(name);
  contents.unit = std::string(RoleName(role));
  contents.begins = now - kSlack;
  contents.expires = now + lifetime;
  contents.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "clientAuth"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_authority_key_identifier, "keyid:always"}};
  return MakeSigned(contents, authority);
}

absl::StatusOr<CertificateInfo> DescribeCertificate(absl::string_view pem,
                                                    absl::string_view what) {
  INTERNODE_ASSIGN_OR_RETURN(const X509Ptr certificate,
                             ParseCertificate(pem, what));
  X509* const raw = certificate.get();
  CertificateInfo info;
  info.name = FieldOf(X509_get_subject_name(raw), NID_commonName);
  info.unit = FieldOf(X509_get_subject_name(raw), NID_organizationalUnitName);
  info.issuer = FieldOf(X509_get_issuer_name(raw), NID_commonName);
  info.names = NamesOf(raw);
  info.begins = TimeOf(X509_get0_notBefore(raw));
  info.expires = TimeOf(X509_get0_notAfter(raw));
  return info;
}

absl::Status CheckKeyPair(const KeyPair& pair,
                          absl::string_view certificate_name,
                          absl::string_view key_name) {
  INTERNODE_ASSIGN_OR_RETURN(
      const X509Ptr certificate,
      ParseCertificate(pair.certificate, certificate_name));
  INTERNODE_ASSIGN_OR_RETURN(const KeyPtr key, ParseKey(pair.key, key_name));
  const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(key_name, " is not the key of ", certificate_name));
}

}  // namespace internode::security
