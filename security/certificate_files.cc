#include "security/certificate_files.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "security/private_file.h"

namespace internode::security {
namespace {

constexpr char kAuthority[] = "ca";
constexpr char kServer[] = "server";
constexpr char kWorker[] = "worker";
constexpr char kClient[] = "client";
constexpr const char* kAll[] = {kAuthority, kServer, kWorker, kClient};

struct Named {
  std::string name;
  KeyPair pair;
};

std::string CertificatePath(const std::string& folder, absl::string_view name) {
  return absl::StrCat(folder, "/", name, ".crt");
}

std::string KeyPath(const std::string& folder, absl::string_view name) {
  return absl::StrCat(folder, "/", name, ".key");
}

absl::StatusOr<KeyPair> ReadAuthority(const std::string& folder) {
  KeyPair authority;
  for (auto [path, text] :
       {std::make_pair(CertificatePath(folder, kAuthority),
                       &authority.certificate),
        std::make_pair(KeyPath(folder, kAuthority), &authority.key)}) {
    absl::StatusOr<std::string> read = ReadSmallFile(path);
    if (absl::IsNotFound(read.status())) {
      return absl::NotFoundError(absl::StrCat(
          "there is no CA: '", path, "' is not there; internode tls init ",
          folder, " makes one"));
    }
    INTERNODE_RETURN_IF_ERROR(read.status());
    *text = *std::move(read);
  }
  return authority;
}

absl::StatusOr<std::vector<Named>> MakeCertificates(
    const KeyPair& authority, const CertificateFilesOptions& options,
    absl::Time now) {
  std::vector<Named> made;
  INTERNODE_ASSIGN_OR_RETURN(
      KeyPair server, NewServerCertificate(authority, options.server_names, now,
                                           options.lifetime));
  made.push_back({kServer, std::move(server)});
  for (const auto& [name, role] : {std::make_pair(kWorker, Role::kWorker),
                                   std::make_pair(kClient, Role::kAdmin)}) {
    INTERNODE_ASSIGN_OR_RETURN(
        KeyPair pair,
        NewClientCertificate(authority, name, role, now, options.lifetime));
    made.push_back({name, std::move(pair)});
  }
  return made;
}

// Keys first: a certificate that is there has its key.
absl::Status WriteNew(const std::string& folder,
                      const std::vector<Named>& pairs) {
  std::vector<std::string> written;
  absl::Status status;
  for (const Named& named : pairs) {
    for (const auto& [path, text] :
         {std::make_pair(KeyPath(folder, named.name), named.pair.key),
          std::make_pair(CertificatePath(folder, named.name),
                         named.pair.certificate)}) {
      status = WriteNewPrivateFile(path, text);
      if (!status.ok()) break;
      written.push_back(path);
    }
    if (!status.ok()) break;
  }
  if (status.ok()) return status;
  for (const std::string& path : written) unlink(path.c_str());
  return status;
}

}  // namespace

bool HasCertificates(const std::string& folder) {
  for (const char* name : kAll) {
    if (access(CertificatePath(folder, name).c_str(), F_OK) != 0 ||
        access(KeyPath(folder, name).c_str(), F_OK) != 0) {
      return false;
    }
  }
  return true;
}

absl::Status InitCertificates(const std::string& folder,
                              const CertificateFilesOptions& options,
                              absl::Time now) {
  for (const char* name : kAll) {
    for (const std::string& path :
         {CertificatePath(folder, name), KeyPath(folder, name)}) {
      if (access(path.c_str(), F_OK) != 0) continue;
      return absl::AlreadyExistsError(
          absl::StrCat("'", path,
                       "' is there and is not overwritten; choose another "
                       "folder, or make all but the CA anew with --renew"));
    }
  }
  INTERNODE_ASSIGN_OR_RETURN(
      const KeyPair authority,
      NewAuthority("Internode CA", now, options.authority_lifetime));
  std::vector<Named> pairs = {{kAuthority, authority}};
  INTERNODE_ASSIGN_OR_RETURN(std::vector<Named> made,
                             MakeCertificates(authority, options, now));
  for (Named& named : made) pairs.push_back(std::move(named));
  INTERNODE_RETURN_IF_ERROR(MakePrivateFolder(folder));
  return WriteNew(folder, pairs);
}

absl::Status RenewCertificates(const std::string& folder,
                               const CertificateFilesOptions& options,
                               absl::Time now) {
  INTERNODE_ASSIGN_OR_RETURN(const KeyPair authority, ReadAuthority(folder));
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Named> made,
                             MakeCertificates(authority, options, now));
  for (const Named& named : made) {
    INTERNODE_RETURN_IF_ERROR(
        WritePrivateFile(KeyPath(folder, named.name), named.pair.key));
    INTERNODE_RETURN_IF_ERROR(WritePrivateFile(
        CertificatePath(folder, named.name), named.pair.certificate));
  }
  return absl::OkStatus();
}

absl::Status IssueCertificate(const std::string& folder, absl::string_view name,
                              Role role, absl::Time now,
                              absl::Duration lifetime) {
  INTERNODE_ASSIGN_OR_RETURN(const KeyPair authority, ReadAuthority(folder));
  INTERNODE_ASSIGN_OR_RETURN(
      KeyPair pair, NewClientCertificate(authority, name, role, now, lifetime));
  return WriteNew(folder, {{std::string(name), std::move(pair)}});
}

}  // namespace internode::security
