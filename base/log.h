#ifndef INTERNODE_BASE_LOG_H_
#define INTERNODE_BASE_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace internode {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

// Directs the process's log to stderr as `options` say. Called once, by main.
void ConfigureLog(const LogOptions& options);

// Parses "debug", "info", "warning", "error", "off".
absl::Status ParseLogLevel(absl::string_view text, LogLevel* level);

// Thread-safe. Text: "2026-01-02T03:04:05.678Z warning message".
void Log(LogLevel level, absl::string_view message);

template <typename... Parts>
void LogDebug(const Parts&... parts) {
  Log(LogLevel::kDebug, absl::StrCat(parts...));
}
template <typename... Parts>
void LogInfo(const Parts&... parts) {
  Log(LogLevel::kInfo, absl::StrCat(parts...));
}
template <typename... Parts>
void LogWarning(const Parts&... parts) {
  Log(LogLevel::kWarning, absl::StrCat(parts...));
}
template <typename... Parts>
void LogError(const Parts&... parts) {
  Log(LogLevel::kError, absl::StrCat(parts...));
}

}  // namespace internode

#endif  // INTERNODE_BASE_LOG_H_
