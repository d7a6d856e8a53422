#include <unistd.h>

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
#include "security/private_file.h"
#include "security/role.h"
#include "security/token.h"
#include "security/token_list.h"

namespace internode::cli {
namespace {

struct TokenArguments {
  std::string tokens;
  std::string role;
  std::string name;
  std::string expires = "30d";
  std::string out;
  bool if_missing = false;
  std::string id;
};

absl::StatusOr<absl::Time> ParseExpiry(const std::string& text) {
  if (text == "never") return absl::InfiniteFuture();
  const absl::StatusOr<absl::Duration> lifetime = ParseDuration(text);
  if (!lifetime.ok() || *lifetime <= absl::ZeroDuration() ||
      *lifetime > absl::Hours(24 * 36500)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--expires '", text, "' is no time for a token: write 30d, or never"));
  }
  return absl::Now() + *lifetime;
}

Json ExpiryJson(absl::Time expires) {
  return expires == absl::InfiniteFuture()
             ? Json()
             : TimeJson(absl::ToUnixNanos(expires));
}

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("'", path, "': ", status.message()));
}

// Changes the list in the file; all who do come through here.
template <class Change>
absl::Status ChangeList(const std::string& path, const Change& change) {
  return security::ChangePrivateFile(path, [&](std::string* content) {
    absl::StatusOr<security::TokenList> list =
        security::TokenList::Parse(*content);
    if (!list.ok()) return InFile(path, list.status());
    INTERNODE_RETURN_IF_ERROR(change(&*list));
    *content = list->Format();
    return absl::OkStatus();
  });
}

absl::StatusOr<int> CreateToken(const TokenArguments& arguments,
                                OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const security::Role role,
                             security::ParseRole(arguments.role));
  INTERNODE_ASSIGN_OR_RETURN(const absl::Time expires,
                             ParseExpiry(arguments.expires));
  if (arguments.if_missing) {
    if (arguments.out.empty()) {
      return absl::InvalidArgumentError(
          "--if-missing needs --out: the file that may be there");
    }
    if (access(arguments.out.c_str(), F_OK) == 0) return 0;
  }
  INTERNODE_ASSIGN_OR_RETURN(const security::Token token, security::NewToken());
  // It is of no use until it is in the list; a list with a token that nobody
  // has does no harm either.
  INTERNODE_RETURN_IF_ERROR(
      ChangeList(arguments.tokens, [&](security::TokenList* list) {
        return list->Add(
            token, role, expires,
            arguments.name.empty() ? arguments.role : arguments.name);
      }));
  if (!arguments.out.empty()) {
    absl::Status written = security::WriteNewPrivateFile(
        arguments.out, absl::StrCat(token.text, "\n"));
    if (!written.ok()) {
      ChangeList(arguments.tokens, [&](security::TokenList* list) {
        return list->Revoke(token.id);
      }).IgnoreError();
      return written;
    }
  }
  if (format == OutputFormat::kJson) {
    Json json = {{"schema", 1},
                 {"id", token.id},
                 {"role", arguments.role},
                 {"expires", ExpiryJson(expires)}};
    if (arguments.out.empty()) json["token"] = token.text;
    PrintJson(json);
  } else if (arguments.out.empty()) {
    // The only time that it is seen.
    std::printf("%s\n", token.text.c_str());
  } else if (format == OutputFormat::kTable) {
    std::printf("token %s for the role %s in %s\n", token.id.c_str(),
                arguments.role.c_str(), arguments.out.c_str());
  }
  return 0;
}

absl::StatusOr<int> ListTokens(const TokenArguments& arguments,
                               OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::string text,
                             security::ReadSmallFile(arguments.tokens));
  const absl::StatusOr<security::TokenList> list =
      security::TokenList::Parse(text);
  if (!list.ok()) return InFile(arguments.tokens, list.status());
  std::vector<std::vector<std::string>> rows = {
      {"TOKEN", "ROLE", "NAME", "EXPIRES", "STATE"}};
  Json json = Json::array();
  for (const auto& [id, entry] : list->entries()) {
    const bool expired = absl::Now() >= entry.expires;
    const std::string role(RoleName(entry.role));
    rows.push_back({id, role, entry.name,
                    entry.expires == absl::InfiniteFuture()
                        ? "never"
                        : TimeText(absl::ToUnixNanos(entry.expires)),
                    expired ? "expired" : "valid"});
    json.push_back({{"id", id},
                    {"role", role},
                    {"name", entry.name},
                    {"expires", ExpiryJson(entry.expires)},
                    {"expired", expired}});
  }
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"tokens", json}});
  } else if (format == OutputFormat::kTable) {
    std::fputs(TableText(rows).c_str(), stdout);
  }
  return 0;
}

absl::StatusOr<int> RevokeToken(const TokenArguments& arguments,
                                OutputFormat format) {
  // Not to make a list of a misspelt name.
  INTERNODE_RETURN_IF_ERROR(security::ReadSmallFile(arguments.tokens).status());
  INTERNODE_RETURN_IF_ERROR(ChangeList(
      arguments.tokens,
      [&](security::TokenList* list) { return list->Revoke(arguments.id); }));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"id", arguments.id}, {"revoked", true}});
  } else if (format == OutputFormat::kTable) {
    std::printf("token %s is revoked\n", arguments.id.c_str());
  }
  return 0;
}

void AddTokensOption(CLI::App* command, TokenArguments* arguments) {
  command
      ->add_option("--tokens", arguments->tokens,
                   "The scheduler's list of tokens, as its --tokens names it")
      ->required()
      ->type_name("FILE");
}

}  // namespace

void AddTokenCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(
      root, line, "token", "Make, list and revoke a scheduler's tokens", "");
  group->require_subcommand(1);
  auto arguments = std::make_shared<TokenArguments>();
  const auto act = [arguments, line](auto action) {
    return [arguments, line, action] {
      line->action = [arguments, line, action] {
        return action(*arguments, line->global.output_format());
      };
    };
  };

  CLI::App* create = AddCommand(
      group, line, "create", "Make a token; it is shown this once",
      "  internode token create --tokens tokens --role submit --name alice\n"
      "  internode token create --tokens tokens --role worker --out "
      "worker.token --expires never");
  AddTokensOption(create, arguments.get());
  create->add_option("--role", arguments->role, "admin, submit, read or worker")
      ->required()
      ->type_name("ROLE");
  create
      ->add_option("--name", arguments->name,
                   "Who has it, for lists and logs (default: the role)")
      ->type_name("NAME");
  create
      ->add_option("--expires", arguments->expires,
                   "How long it is valid, or never")
      ->capture_default_str()
      ->type_name("DURATION");
  create
      ->add_option("--out", arguments->out,
                   "Write it to this new file, for its owner alone, instead "
                   "of showing it")
      ->type_name("FILE");
  create->add_flag("--if-missing", arguments->if_missing,
                   "Do nothing if the file of --out is there");
  create->callback(act(CreateToken));

  CLI::App* list = AddCommand(group, line, "list", "List the tokens",
                              "  internode token list --tokens tokens");
  AddTokensOption(list, arguments.get());
  list->callback(act(ListTokens));

  CLI::App* revoke =
      AddCommand(group, line, "revoke",
                 "Revoke a token; the scheduler knows within two seconds",
                 "  internode token revoke 3f9a1c02 --tokens tokens");
  revoke->add_option("ID", arguments->id, "Its id; see token list")->required();
  AddTokensOption(revoke, arguments.get());
  revoke->callback(act(RevokeToken));
}

}  // namespace internode::cli
