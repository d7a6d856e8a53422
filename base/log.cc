#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace internode {
namespace {

// Escapes what a JSON string may not hold.
std::string JsonEscaped(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&escaped, "\\u%04x", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

// The logger carries the format in its name, so that no state of our own is
// needed beside spdlog's default logger.
constexpr char kJsonName[] = "internode-json";
constexpr char kTextName[] = "internode";

}  // namespace

void ConfigureLog(const LogOptions& options) {
  const bool json = options.format == LogFormat::kJson;
  auto logger = std::make_shared<spdlog::logger>(
      json ? kJsonName : kTextName,
      std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(ToSpdlog(options.level));
  if (json) {
    logger->set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})",
        spdlog::pattern_time_type::utc);
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                        spdlog::pattern_time_type::utc);
  }
  spdlog::set_default_logger(std::move(logger));
}

absl::Status ParseLogLevel(absl::string_view text, LogLevel* level) {
  if (text == "debug") {
    *level = LogLevel::kDebug;
  } else if (text == "info") {
    *level = LogLevel::kInfo;
  } else if (text == "warning") {
    *level = LogLevel::kWarning;
  } else if (text == "error") {
    *level = LogLevel::kError;
  } else if (text == "off") {
    *level = LogLevel::kOff;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text,
                     "' is not a log level; levels are debug, info, warning, "
                     "error, off"));
  }
  return absl::OkStatus();
}

void Log(LogLevel level, absl::string_view message) {
  spdlog::logger* logger = spdlog::default_logger_raw();
  const std::string text =
      logger->name() == kJsonName ? JsonEscaped(message) : std::string(message);
  logger->log(ToSpdlog(level), "{}", text);
}

}  // namespace internode
