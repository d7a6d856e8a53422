#ifndef INTERNODE_TESTS_SUPPORT_SANITIZERS_H_
#define INTERNODE_TESTS_SUPPORT_SANITIZERS_H_

namespace internode::testing {

// Whether the test runs under a sanitizer, with which a program takes several
// times as long and as much memory: random tests then do fewer rounds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_SANITIZERS_H_
