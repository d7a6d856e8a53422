#ifndef INTERNODE_BASE_MUTEX_H_
#define INTERNODE_BASE_MUTEX_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#if defined(__SANITIZE_THREAD__)
#define INTERNODE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define INTERNODE_TSAN 1
#endif
#endif

#ifdef INTERNODE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace internode {

// An absl::Mutex that ThreadSanitizer understands. The system's Abseil is not
// built with the sanitizer's annotations, so that it reports a race under every
// correct lock; the two edges added here are what it misses.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    mu_.Lock();
    Acquired();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    Releasing();
    mu_.Unlock();
  }

  // Tells the thread safety analysis that the lock is held, where it cannot
  // see it: inside the conditions below.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() { mu_.AssertHeld(); }

  // Waits until `condition()`, which runs under the lock, possibly on another
  // thread, is true.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    Releasing();
    auto annotated = [this, &condition] { return Evaluate(condition); };
    mu_.Await(absl::Condition(&annotated));
    Acquired();
  }

  // As Await, but gives up at `deadline`. Returns whether the condition held.
  template <typename Condition>
  bool AwaitWithDeadline(Condition condition, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    Releasing();
    auto annotated = [this, &condition] { return Evaluate(condition); };
    const bool held =
        mu_.AwaitWithDeadline(absl::Condition(&annotated), deadline);
    Acquired();
    return held;
  }

 private:
  template <typename Condition>
  bool Evaluate(Condition& condition) {
    Acquired();
    const bool held = condition();
    Releasing();
    return held;
  }
#ifdef INTERNODE_TSAN
  void Acquired() { __tsan_acquire(this); }
  void Releasing() { __tsan_release(this); }
#else
  void Acquired() {}
  void Releasing() {}
#endif

  absl::Mutex mu_;
};

// Holds a Mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) {
    mu_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mu_;
};

}  // namespace internode

#endif  // INTERNODE_BASE_MUTEX_H_
