#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/report.h"
#include "client/cli/scheduler_options.h"
#include "security/certificate.h"
#include "security/certificate_files.h"
#include "security/private_file.h"
#include "security/role.h"

namespace internode::cli {
namespace {

struct TlsArguments {
  std::string folder;
  std::vector<std::string> names;
  std::string days = "365d";
  std::string authority_days = "3650d";
  bool renew = false;
  bool if_missing = false;
  std::string name;
  std::string role;
  std::vector<std::string> files;
};

absl::StatusOr<absl::Duration> ParseLifetime(const std::string& flag,
                                             const std::string& text) {
  const absl::StatusOr<absl::Duration> lifetime = ParseDuration(text);
  if (!lifetime.ok() || *lifetime <= absl::ZeroDuration() ||
      *lifetime > absl::Hours(24 * 36500)) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " '", text, "' is no time for a certificate: write 90d"));
  }
  return *lifetime;
}

// Names by which a scheduler here is always reached, and those given.
std::vector<std::string> ServerNames(const std::vector<std::string>& given) {
  std::vector<std::string> names = given;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') {
    names.emplace_back(host.data());
  }
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) {
    names.emplace_back(name);
  }
  return names;
}

absl::StatusOr<int> InitFolder(const TlsArguments& arguments,
                               OutputFormat format) {
  if (arguments.if_missing && security::HasCertificates(arguments.folder)) {
    return 0;
  }
  security::CertificateFilesOptions options;
  options.server_names = ServerNames(arguments.names);
  INTERNODE_ASSIGN_OR_RETURN(options.lifetime,
                             ParseLifetime("--expires", arguments.days));
  INTERNODE_ASSIGN_OR_RETURN(
      options.authority_lifetime,
      ParseLifetime("--ca-expires", arguments.authority_days));
  const absl::Time now = absl::Now();
  INTERNODE_RETURN_IF_ERROR(
      arguments.renew
          ? security::RenewCertificates(arguments.folder, options, now)
          : security::InitCertificates(arguments.folder, options, now));
  if (format == OutputFormat::kTable) {
    std::printf(
        "%s: certificates for %s, and for workers and clients, until %s\n"
        "ca.crt is for every machine; ca.key stays where it is\n",
        arguments.folder.c_str(), options.server_names[0].c_str(),
        TimeText(absl::ToUnixNanos(now + options.lifetime)).c_str());
  } else if (format == OutputFormat::kJson) {
    PrintJson(
        {{"schema", 1},
         {"folder", arguments.folder},
         {"names", options.server_names},
         {"expires", TimeJson(absl::ToUnixNanos(now + options.lifetime))}});
  }
  return 0;
}

absl::StatusOr<int> IssueOne(const TlsArguments& arguments,
                             OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const security::Role role,
                             security::ParseRole(arguments.role));
  INTERNODE_ASSIGN_OR_RETURN(const absl::Duration lifetime,
                             ParseLifetime("--expires", arguments.days));
  INTERNODE_RETURN_IF_ERROR(security::IssueCertificate(
      arguments.folder, arguments.name, role, absl::Now(), lifetime));
  const std::string path = absl::StrCat(arguments.folder, "/", arguments.name);
  if (format == OutputFormat::kTable) {
    std::printf("%s.crt and %s.key, role %s\n", path.c_str(), path.c_str(),
                arguments.role.c_str());
  } else if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"certificate", path + ".crt"},
               {"key", path + ".key"},
               {"role", arguments.role}});
  }
  return 0;
}

absl::StatusOr<int> ShowCertificates(const TlsArguments& arguments,
                                     OutputFormat format) {
  std::vector<std::vector<std::string>> rows = {
      {"FILE", "NAME", "ROLE", "EXPIRES", "ISSUER", "FOR"}};
  Json list = Json::array();
  for (const std::string& file : arguments.files) {
    INTERNODE_ASSIGN_OR_RETURN(const std::string pem,
                               security::ReadSmallFile(file));
    INTERNODE_ASSIGN_OR_RETURN(const security::CertificateInfo info,
                               security::DescribeCertificate(pem, file));
    rows.push_back({file, info.name, info.unit,
                    TimeText(absl::ToUnixNanos(info.expires)), info.issuer,
                    info.names});
    list.push_back({{"file", file},
                    {"name", info.name},
                    {"role", info.unit},
                    {"expires", TimeJson(absl::ToUnixNanos(info.expires))},
                    {"expired", absl::Now() > info.expires},
                    {"issuer", info.issuer},
                    {"names", info.names}});
  }
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"certificates", list}});
  } else if (format == OutputFormat::kTable) {
    std::fputs(TableText(rows).c_str(), stdout);
  }
  return 0;
}

}  // namespace

void AddTlsCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group =
      AddCommand(root, line, "tls", "Make certificates for TLS", "");
  group->require_subcommand(1);
  auto arguments = std::make_shared<TlsArguments>();
  const auto act = [arguments, line](auto action) {
    return [arguments, line, action] {
      line->action = [arguments, line, action] {
        return action(*arguments, line->global.output_format());
      };
    };
  };

  CLI::App* init = AddCommand(
      group, line, "init",
      "Make a CA, and certificates for the scheduler, workers and clients",
      "  internode tls init certs --name node1.example.org --name 10.0.0.1\n"
      "  internode tls init certs --name node1.example.org --renew");
  init->add_option("DIR", arguments->folder, "Where; it is made")->required();
  init->add_option("--name", arguments->names,
                   "Host name or IP address of the scheduler; may be repeated. "
                   "This host's name and loopback are always in")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("NAME");
  init->add_option("--expires", arguments->days, "How long they are valid")
      ->capture_default_str()
      ->type_name("DURATION");
  init->add_option("--ca-expires", arguments->authority_days,
                   "How long the CA's own is valid")
      ->capture_default_str()
      ->type_name("DURATION");
  init->add_flag("--renew", arguments->renew,
                 "Keep the CA, make the others anew");
  init->add_flag("--if-missing", arguments->if_missing,
                 "Do nothing if all are there");
  init->callback(act(InitFolder));

  CLI::App* issue = AddCommand(
      group, line, "issue", "Make a certificate for one more client or worker",
      "  internode tls issue certs alice --role submit --expires 90d");
  issue->add_option("DIR", arguments->folder, "The folder of tls init")
      ->required();
  issue->add_option("NAME", arguments->name, "Who has it")->required();
  issue->add_option("--role", arguments->role, "admin, submit, read or worker")
      ->required()
      ->type_name("ROLE");
  issue->add_option("--expires", arguments->days, "How long it is valid")
      ->capture_default_str()
      ->type_name("DURATION");
  issue->callback(act(IssueOne));

  CLI::App* info = AddCommand(group, line, "info", "Show what certificates say",
                              "  internode tls info certs/*.crt");
  info->add_option("FILE", arguments->files, "Certificates, PEM files")
      ->required();
  info->callback(act(ShowCertificates));
}

}  // namespace internode::cli
