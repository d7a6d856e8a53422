#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "client/cli/command.h"

// Completion scripts, made from the tree of apps: what the parser knows is what
// is completed.

namespace internode::cli {
namespace {

// One command of the tree: "internode_run" and what can follow it.
struct CompletionNode {
  // The words that lead there, without the program's name.
  std::vector<std::string> path;
  std::vector<std::string> subcommands;
  std::vector<std::string> options;
  std::vector<std::pair<std::string, std::string>> descriptions;
};

void Collect(const CLI::App& app, const std::vector<std::string>& path,
             std::vector<CompletionNode>* nodes) {
  CompletionNode node;
  node.path = path;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      node.options.push_back(absl::StrCat("--", name));
      node.descriptions.emplace_back(name, option->get_description());
    }
    for (const std::string& name : option->get_snames()) {
      node.options.push_back(absl::StrCat("-", name));
    }
  }
  const std::vector<const CLI::App*> subcommands =
      app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* subcommand : subcommands) {
    node.subcommands.push_back(subcommand->get_name());
  }
  nodes->push_back(std::move(node));
  for (const CLI::App* subcommand : subcommands) {
    std::vector<std::string> next = path;
    next.push_back(subcommand->get_name());
    Collect(*subcommand, next, nodes);
  }
}

std::vector<CompletionNode> NodesOf(const CLI::App& root) {
  std::vector<CompletionNode> nodes;
  Collect(root, {}, &nodes);
  return nodes;
}

// The body that finds, in the words typed, the command that they lead to. bash
// and zsh both understand it.
std::string ShellCases(const std::vector<CompletionNode>& nodes) {
  std::string text = "  case \"$path\" in\n";
  for (const CompletionNode& node : nodes) {
    absl::StrAppend(
        &text, "    \"", absl::StrJoin(node.path, " "), "\")\n",
        "      subcommands=\"", absl::StrJoin(node.subcommands, " "), "\"\n",
        "      options=\"", absl::StrJoin(node.options, " "), "\" ;;\n");
  }
  absl::StrAppend(&text, "  esac\n");
  return text;
}

// The words of the path so far, as long as they are commands.
std::string ShellPaths(const std::vector<CompletionNode>& nodes) {
  std::vector<std::string> patterns;
  for (const CompletionNode& node : nodes) {
    if (node.path.empty()) continue;
    patterns.push_back(absl::StrCat("\"", absl::StrJoin(node.path, " "), "\""));
  }
  return absl::StrJoin(patterns, "|");
}

std::string BashScript(const std::vector<CompletionNode>& nodes) {
  return absl::StrCat(
      "# internode completion bash > "
      "/etc/bash_completion.d/internode\n"
      "_internode() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" word\n"
      "  local subcommands=\"\" options=\"\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"${path:+$path }$word\" in\n      ",
      ShellPaths(nodes),
      ") path=\"${path:+$path }$word\" ;;\n"
      "    esac\n"
      "  done\n",
      ShellCases(nodes),
      "  if [[ $current == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
      "  elif [[ -n $subcommands ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$subcommands\" -- \"$current\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  fi\n"
      "}\n"
      "complete -o filenames -F _internode internode\n");
}

std::string ZshScript(const std::vector<CompletionNode>& nodes) {
  return absl::StrCat(
      "#compdef internode\n"
      "# internode completion zsh > \"${fpath[1]}/_internode\"\n"
      "_internode() {\n"
      "  local path_=\"\" word subcommands=\"\" options=\"\"\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"${path_:+$path_ }$word\" in\n      ",
      ShellPaths(nodes),
      ") path_=\"${path_:+$path_ }$word\" ;;\n"
      "    esac\n"
      "  done\n",
      absl::StrReplaceAll(ShellCases(nodes), {{"$path", "$path_"}}),
      "  if [[ $PREFIX == -* ]]; then\n"
      "    compadd -- ${=options}\n"
      "  elif [[ -n $subcommands ]]; then\n"
      "    compadd -- ${=subcommands}\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}\n"
      "compdef _internode internode\n");
}

// `text` in fish's single quotes.
std::string FishQuoted(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishScript(const std::vector<CompletionNode>& nodes) {
  std::string text =
      "# internode completion fish > "
      "~/.config/fish/completions/internode.fish\n";
  for (const CompletionNode& node : nodes) {
    std::string condition = "__fish_use_subcommand";
    if (!node.path.empty()) {
      std::vector<std::string> seen;
      for (const std::string& word : node.path) {
        seen.push_back(absl::StrCat("__fish_seen_subcommand_from ", word));
      }
      condition = absl::StrJoin(seen, "; and ");
    }
    if (!node.subcommands.empty()) {
      absl::StrAppend(&text, "complete -c internode -f -n '", condition,
                      "' -a '", absl::StrJoin(node.subcommands, " "), "'\n");
    }
    for (const auto& [name, description] : node.descriptions) {
      absl::StrAppend(&text, "complete -c internode -n '", condition, "' -l ",
                      name, " -d ", FishQuoted(description), "\n");
    }
  }
  return text;
}

}  // namespace

void AddCompletionCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command =
      AddCommand(root, line, "completion", "Print a completion script",
                 "  source <(internode completion bash)");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([root, shell, line] {
    line->action = [root, shell]() -> absl::StatusOr<int> {
      const std::vector<CompletionNode> nodes = NodesOf(*root);
      const std::string script = *shell == "bash"  ? BashScript(nodes)
                                 : *shell == "zsh" ? ZshScript(nodes)
                                                   : FishScript(nodes);
      std::fputs(script.c_str(), stdout);
      return 0;
    };
  });
}

}  // namespace internode::cli
