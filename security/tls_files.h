#ifndef INTERNODE_SECURITY_TLS_FILES_H_
#define INTERNODE_SECURITY_TLS_FILES_H_

#include <string>

namespace internode::security {

// The PEM files of one end of TLS. Empty: not given.
struct TlsFiles {
  // Whose certificates of the other end are trusted.
  std::string ca;
  // One's own certificate and its key: both or neither.
  std::string certificate;
  std::string key;
};

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_TLS_FILES_H_
